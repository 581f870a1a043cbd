# make certs && make run     HTTPS on https://127.0.0.1:8000/
# make help                  everything else

# What `make run` serves. The first three are the switches of the recipe, too:
# HTTPS_ENABLED=1 VERIFY_USER=1 is MODE=mutual.
MODE    ?=
HOST    ?= 127.0.0.1
PORT    ?= 8000
# In https mode it is the operating system's TLS stack, as the recipe has it; `BACKEND=` is the first that can.
BACKEND ?= $(if $(is_https),native-tls)
CERTS   ?= certs
ARGS    ?=

# Where `make install` puts things; DESTDIR is for those who make packages of them.
PREFIX  ?= /usr/local
DESTDIR ?=

CARGO     ?= cargo
# The default build has openssl where OpenSSL is the system's TLS stack; elsewhere it is asked for.
openssl   := $(if $(filter Linux %BSD,$(shell uname -s)),,--features openssl)
FEATURES  = $(if $(filter openssl,$(BACKEND)),$(openssl))
TURNKEY   := target/release/turnkey

# Without MODE, and without the recipe's switches, it is https.
mode      := $(or $(MODE),$(if $(HTTPS_ENABLED)$(VERIFY_USER),,https))
# The words that the program takes for yes.
yes       := 1 true True TRUE yes Yes YES on On ON
is_https  := $(if $(mode),$(filter https,$(mode)),$(if $(filter $(yes),$(VERIFY_USER)),,$(filter $(yes),$(HTTPS_ENABLED))))
https_in  := TURNKEY_KEY_PASSWORD=turnkey TURNKEY_IDENTITY=$(CERTS)/server.p12
mutual_in := $(https_in) TURNKEY_CLIENT_CA=$(CERTS)/ca.crt
recipe_in := CA_CHAIN_CRT=$(CERTS)/server_chain.pem API_KEY=$(CERTS)/server.key \
             API_CA_T=$(CERTS)/ca.crt HTTPS_ENABLED=$(or $(HTTPS_ENABLED),0) \
             VERIFY_USER=$(or $(VERIFY_USER),0)
# What is in the environment for the mode; a MODE that there is not is the program's to refuse.
inputs    := $(if $(mode),$($(mode)_in),$(recipe_in))

.DEFAULT_GOAL := help
.PHONY: help certs run build install uninstall deb test lint public-api coverage deps fuzz mutants bench soak build-tools coverage-tools

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make run MODE=http|https|mutual HOST=$(HOST) PORT=$(PORT) BACKEND=native-tls|rustls|openssl ARGS='--hsts 300'"
	@echo "  make run HTTPS_ENABLED=1 VERIFY_USER=1    the same as MODE=mutual"
	@echo "  make certs ARGS='--host example.test --client alice'"

certs: build ## Make a CA and certificates in certs/, keeping what is still good
	@$(TURNKEY) certs --out $(CERTS) $(ARGS)
	@test ! -f '$(CERTS)/server.p12' || printf 'or, with the TLS stack of the operating system:\n  make run%s\n' \
		"$(if $(filter-out certs,$(CERTS)), CERTS='$(CERTS)')"

run: build $(if $(filter http,$(mode)),,$(CERTS)/server.p12 $(CERTS)/client.pem) ## Serve the built-in app: https on port 8000, or as the variables below say
	@$(inputs) exec $(TURNKEY) $(if $(mode),--mode $(mode)) --host $(HOST) --port $(PORT) \
		$(if $(BACKEND),--backend $(BACKEND)) $(ARGS)

# Only what is missing: certificates that somebody put there are theirs.
$(CERTS)/server.p12 $(CERTS)/client.pem: | build
	@$(TURNKEY) certs --out $(CERTS)

# cargo says one line when nothing is to be done, and otherwise what it is at: that may take minutes.
build: build-tools ## Build the program
	@$(CARGO) build --release $(FEATURES)

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

test: deps lint ## Run everything that CI runs
	$(CARGO) test --workspace $(openssl)
	PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover --start-directory tests/soak

# Where what comes from PyPI stands.
VENV := $(CURDIR)/.venv/$(if $(filter Windows_NT,$(OS)),Scripts;,bin:)
lint public-api coverage: export PATH := $(VENV)$(PATH)

# What is quick comes first. `vendored` builds OpenSSL from source, so that it is in one combination only:
# it changes what is linked, and not what is compiled here.
lint: ## Check formatting, lints, documentation, spelling, dependencies, features and the public API
	@cargo-shear --version >/dev/null 2>&1 || { echo 'make lint: its tools are missing; make deps installs them' >&2; exit 1; }
	$(CARGO) fmt --all --check
	typos
	zizmor --offline --no-progress --quiet .github
	$(CARGO) deny --locked check -D unmatched-skip -D unnecessary-skip bans licenses sources
	@for workspace in . benches benches/instructions fuzz; do \
		echo "cargo shear $$workspace"; $(CARGO) shear --locked --deny-warnings $$workspace || exit 1; \
	done
	python scripts/rust-version.py
	$(CARGO) clippy --workspace --all-targets $(openssl) -- -D warnings
	$(CARGO) hack clippy --feature-powerset --exclude-features default,openssl,vendored,jemalloc -- -D warnings
	$(CARGO) clippy --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps $(openssl) --quiet
	sh scripts/public-api.sh

public-api: ## Write the public API to docs/PUBLIC_API.txt, which make lint compares it with
	@sh scripts/public-api.sh renew

# What rustc counts, only an LLVM of its own version reads.
coverage: llvm := $(shell rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
coverage: export LLVM_COV ?= $(shell command -v llvm-cov-$(llvm))
coverage: export LLVM_PROFDATA ?= $(shell command -v llvm-profdata-$(llvm))
# The tests end most of the programs that they start with SIGKILL, before which nothing is written at an
# exit: `%c` counts in the file itself, which needs the flag, and `%m` takes one file for each program.
coverage: export LLVM_PROFILE_FILE_NAME := turnkey-%c%m.profraw
coverage: export RUSTFLAGS += -C llvm-args=-runtime-counter-relocation

# `ARGS=--lib` counts what the unit tests alone reach; `ARGS=--html` makes pages.
coverage: coverage-tools ## Count the lines that the tests reach
	$(CARGO) llvm-cov --workspace $(openssl) $(or $(ARGS),--summary-only)

coverage-tools:
	@sh scripts/deps.sh coverage

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

# Each takes hours. What is missed has a test or a row in docs/MUTANTS.md. What is built stands before `--`,
# what the tests are told behind it; `ARGS=--iterate` tries those anew that were missed the last time.
MUTANTS ?= core reactor trust wire
mutants_core  := --package turnkey-backend $(foreach tests,certificate* client_policy connector handshake_error identit* \
                 ocsp policy revocation tickets,'--cargo-arg=--test=$(tests)') --cargo-arg=--lib
mutants_reactor := --package turnkey-reactor '--cargo-arg=--test=socket' --cargo-arg=--lib
mutants_trust := --package turnkey --file 'src/peer/trust/**' --cargo-arg=--lib \
                 --cargo-arg=--test=behind_proxy -- -- trust h1::tests fields:: options:: proxy_protocol::
mutants_wire  := --package turnkey --file 'src/wire/**' --file 'src/h1/**' --cargo-arg=--lib \
                 --cargo-arg=--test=wire

mutants: ## Change the code in one place at a time, and list the changes that no test minds
	@$(CARGO) mutants --version >/dev/null 2>&1 || $(CARGO) install cargo-mutants --locked
	@$(foreach what,$(MUTANTS),$(CARGO) mutants --jobs 1 --timeout 120 --build-timeout 900 $(ARGS) \
		--output target/mutants/$(what) $(mutants_$(what)) \
		|| { code=$$?; test $$code = 2 || test $$code = 3; } || exit 1;)

# `ARGS='--only plain'` measures one case, `ARGS=--quick` next to nothing of each: RESULTS.md stays then.
bench: build-tools ## Measure turnkey beside nginx and others, and write benches/RESULTS.md
	@sh scripts/deps.sh bench
	@$(CARGO) build --release $(openssl)
	@CARGO_TARGET_DIR=target/benches $(CARGO) build --release --manifest-path benches/Cargo.toml
	@RUSTFLAGS='--cfg turnkey_bench' CARGO_TARGET_DIR=target/instructions \
		$(CARGO) build --release --manifest-path benches/instructions/Cargo.toml
	@PYTHONDONTWRITEBYTECODE=1 python3 benches/run.py --turnkey $(TURNKEY) --programs target/benches/release \
		--instructions target/instructions/release/turnkey-instructions $(or $(ARGS),--write)

# `ARGS=--quick` is a minute of it, after which docs/SOAK.md stays as it was. Not in CI.
SECONDS ?= 3600

soak: build-tools ## Serve mixed load, faults and reloads for SECONDS=3600, and write docs/SOAK.md
	@$(CARGO) build --release $(openssl)
	@PYTHONDONTWRITEBYTECODE=1 python3 tests/soak/run.py --turnkey $(TURNKEY) --seconds $(SECONDS) \
		$(or $(ARGS),--write)

# cargo fails late, and in its own words, when a C library is missing.
build-tools:
	@sh scripts/build-tools.sh
