# turnkey in an image of a dozen files, without a shell, as nobody in particular:
#
#   docker build -t turnkey .
#   docker run --rm -p 8443:8443 --read-only --tmpfs /tmp -v "$PWD/certs:/etc/turnkey:ro" \
#       -e TURNKEY_CERT=server_chain.pem -e TURNKEY_KEY=server.key turnkey
#
# Options are variables, or words behind the image's name. Keys have to be readable for user 65532. There is
# no HEALTHCHECK, which would need a client in the image: ask for /healthz from outside, as
# packaging/kubernetes does.

FROM rust:1-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends -y ca-certificates libssl-dev make pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked && sh packaging/image-root.sh target/release/turnkey /image

FROM scratch
COPY --from=build /image/ /
ENV TURNKEY_HOST=0.0.0.0 TURNKEY_PORT=8443 TURNKEY_HEALTH=/healthz
WORKDIR /etc/turnkey
USER 65532:65532
EXPOSE 8443
ENTRYPOINT ["/usr/bin/turnkey"]
