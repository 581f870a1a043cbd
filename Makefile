# make certs && make run     HTTPS on https://127.0.0.1:8000/
# make help                  everything else

# What `make run` serves. The first three are the switches of the recipe, too:
# HTTPS_ENABLED=1 VERIFY_USER=1 is MODE=mutual.
MODE    ?=
HOST    ?= 127.0.0.1
PORT    ?= 8000
BACKEND ?=
CERTS   ?= certs
ARGS    ?=

# Where `make install` puts things; DESTDIR is for those who make packages of them.
PREFIX  ?= /usr/local
DESTDIR ?=

CARGO     ?= cargo
# A backend that is not in the default build is a cargo feature of the same name.
FEATURES  := $(if $(filter-out plain native-tls rustls,$(BACKEND)),--features $(BACKEND))
TURNKEY   := target/release/turnkey

# Without MODE, and without the recipe's switches, it is https.
mode      := $(or $(MODE),$(if $(HTTPS_ENABLED)$(VERIFY_USER),,https))
https_in  := TURNKEY_KEY_PASSWORD=turnkey TURNKEY_IDENTITY=$(CERTS)/server.p12
mutual_in := $(https_in) TURNKEY_CLIENT_CA=$(CERTS)/ca.crt
recipe_in := CA_CHAIN_CRT=$(CERTS)/server_chain.pem API_KEY=$(CERTS)/server.key \
             API_CA_T=$(CERTS)/ca.crt HTTPS_ENABLED=$(or $(HTTPS_ENABLED),0) \
             VERIFY_USER=$(or $(VERIFY_USER),0)
# What is in the environment for the mode; a MODE that there is not is the program's to refuse.
inputs    := $(if $(mode),$($(mode)_in),$(recipe_in))

.DEFAULT_GOAL := help
.PHONY: help certs run build install uninstall deb test lint features deps fuzz bench build-tools

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make run MODE=http|https|mutual HOST=$(HOST) PORT=$(PORT) BACKEND=native-tls|rustls|openssl ARGS='--tls-min 1.3'"
	@echo "  make run HTTPS_ENABLED=1 VERIFY_USER=1    the same as MODE=mutual"
	@echo "  make certs ARGS='--host example.test --client alice'"

certs: build ## Make a CA and certificates in certs/, keeping what is still good
	@$(TURNKEY) certs --out $(CERTS) $(ARGS)

run: build $(if $(filter http,$(mode)),,$(CERTS)/server.p12 $(CERTS)/client.pem) ## Serve the built-in app: https on port 8000, or as the variables below say
	@$(inputs) exec $(TURNKEY) $(if $(mode),--mode $(mode)) --host $(HOST) --port $(PORT) \
		$(if $(BACKEND),--backend $(BACKEND)) $(ARGS)

# Only what is missing: certificates that somebody put there are theirs.
$(CERTS)/server.p12 $(CERTS)/client.pem: | build
	@$(TURNKEY) certs --out $(CERTS)

build: build-tools ## Build the program
	@$(CARGO) build --release $(if $(wildcard $(TURNKEY)),--quiet) $(FEATURES)

# As root there may be no cargo, so what is built already is not built again.
install: $(if $(wildcard $(TURNKEY)),,build) ## Install program, manual, completions and systemd units below PREFIX=/usr/local
	@sh packaging/install.sh install $(TURNKEY) '$(PREFIX)' '$(DESTDIR)'

uninstall: ## Remove what make install has put there
	@sh packaging/install.sh uninstall $(TURNKEY) '$(PREFIX)' '$(DESTDIR)'

deb: $(if $(wildcard $(TURNKEY)),,build) ## Make a Debian package, in target/debian
	@$(CARGO) deb --version >/dev/null 2>&1 || { echo 'make deb: there is no cargo-deb; make deps installs it' >&2; exit 1; }
	@mkdir -p target/packaging
	@strip -o target/packaging/turnkey $(TURNKEY)
	@$(TURNKEY) man >target/packaging/turnkey.1
	@for shell in bash zsh fish; do \
		$(TURNKEY) completions $$shell >target/packaging/turnkey.$$shell || exit 1; \
	done
	@$(CARGO) deb --no-build $(DEB_ARGS)

test: deps lint features ## Run everything that CI runs
	$(CARGO) test --workspace --features openssl

lint: ## Check formatting, lints and the documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --features openssl -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --features openssl --quiet

features: ## Check that every combination of cargo features builds
	@for features in '' native-tls rustls openssl pki native-tls,pki rustls,pki openssl,pki \
			native-tls,rustls native-tls,openssl rustls,openssl native-tls,rustls,openssl; do \
		echo "features: $${features:-none}"; \
		$(CARGO) clippy --quiet --no-default-features --features "$$features" -- -D warnings || exit 1; \
	done
	@echo 'features: all'
	@$(CARGO) clippy --quiet --all-features -- -D warnings

deps: ## Install what the tests need (Debian, as root; elsewhere it says what is missing)
	@sh scripts/deps.sh

# The targets need unstable options, which RUSTC_BOOTSTRAP=1 lets a stable compiler take.
SECONDS_EACH ?= 600

fuzz: ## Fuzz what reads strangers' bytes, for SECONDS_EACH=600 each target
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install cargo-fuzz --locked
	@for target in $$($(CARGO) fuzz list); do \
		echo "fuzz: $$target, $(SECONDS_EACH) s"; \
		mkdir -p fuzz/corpus/$$target; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(SECONDS_EACH) -max_len=20000 -timeout=20 || exit 1; \
	done

# `ARGS='--only plain'` measures one case, `ARGS=--quick` next to nothing of each: RESULTS.md stays then.
bench: build-tools ## Measure turnkey beside nginx and others, and write benches/RESULTS.md
	@sh scripts/deps.sh bench
	@$(CARGO) build --release && cp $(TURNKEY) target/turnkey-small
	@$(CARGO) build --release --features openssl && cp $(TURNKEY) target/turnkey-all
	@CARGO_TARGET_DIR=target/benches $(CARGO) build --release --manifest-path benches/Cargo.toml
	@RUSTFLAGS='--cfg turnkey_bench' CARGO_TARGET_DIR=target/instructions \
		$(CARGO) build --release --manifest-path benches/instructions/Cargo.toml
	@PYTHONDONTWRITEBYTECODE=1 python3 benches/run.py --turnkey target/turnkey-all \
		--small target/turnkey-small --programs target/benches/release \
		--instructions target/instructions/release/turnkey-instructions $(or $(ARGS),--write)

# cargo fails late, and in its own words, when a C library is missing.
build-tools:
	@sh scripts/build-tools.sh
