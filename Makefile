# Everything that this repository does, as commands. CI runs `make check test` and nothing else.
export UV_PYTHON_DOWNLOADS := never
# Trust what the machine trusts, as pip and npm do: many machines sit behind a proxy with a certificate of its own.
export UV_SYSTEM_CERTS := true
export NODE_OPTIONS += --use-openssl-ca
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo up check audit test coverage chaos bench artifacts gas mutants lock clean

setup: .venv/.installed node_modules/.installed

.venv/.installed: requirements/bootstrap.lock requirements/dev.lock pyproject.toml
	@echo "Installing the Python environment into .venv (about 330 MB, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.installed: package.json package-lock.json .npmrc
	@echo "Installing the chain and the Solidity compiler into node_modules (about 230 MB, once)"
	@npm ci --silent
	@test -x node_modules/.bin/anvil || { echo "There is no chain binary for this platform: Linux or macOS, x86-64 or arm64."; exit 1; }
	@touch $@

# Slither and halmos have an environment of their own: halmos needs an older rich than the command line does.
.venv-audit/.installed: requirements/audit.lock .venv/.installed
	@echo "Installing slither and halmos into .venv-audit (about 270 MB, once)"
	@test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit
	@$(BIN)/uv pip sync --quiet --python .venv-audit/bin/python --require-hashes requirements/audit.lock
	@touch $@

# The main job, end to end, on a chain and a database of its own; everything is stopped and removed at its end.
demo: setup
	@$(BIN)/paygent demo

# Serves until Ctrl-C and keeps its state in ~/.paygent.
up: setup
	@$(BIN)/paygent up

check: setup .venv-audit/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	node_modules/.bin/forge fmt --check contracts/src contracts/test contracts/proofs
	node_modules/.bin/forge build --quiet
	node contracts/artifacts.mjs --check
	$(BIN)/python contracts/bindings.py --check
	node contracts/mutants.mjs --check
	node contracts/audit.mjs

# Slither's findings are answered next to the code, and halmos proves what contracts/proofs says; a quarter of a minute.
audit: setup .venv-audit/.installed
	node contracts/audit.mjs

test: setup
	rm -rf contracts/cache/gas
	FOUNDRY_SNAPSHOTS=contracts/cache/gas FOUNDRY_GAS_SNAPSHOT_EMIT=true node_modules/.bin/forge test
	diff -r contracts/snapshots contracts/cache/gas || { echo "Gas has changed: run make gas and commit the result"; exit 1; }
	node contracts/coverage.mjs
	$(BIN)/pytest

# At least 98 % of the lines and 95 % of the branches of contracts/src, with what is uncovered.
coverage: setup
	node contracts/coverage.mjs

# The property tests with other examples each time, and twenty times as many; takes about a quarter of an hour.
chaos: setup
	FOUNDRY_PROFILE=chaos node_modules/.bin/forge test --fuzz-seed $$(date +%s)
	$(BIN)/pytest --hypothesis-profile=chaos --timeout=3600 tests/unit tests/integration/intents tests/integration/ledger

# What the issues set targets for, measured; never a part of the tests.
bench: setup
	@$(BIN)/python -m tests.bench.help
	@$(BIN)/python -m tests.bench.settle_batch

# What Python ships of the contracts, and its bindings; `make check` compares them with the sources.
artifacts: setup
	node_modules/.bin/forge build --quiet
	node contracts/artifacts.mjs
	$(BIN)/python contracts/bindings.py

# What calls cost; `make test` compares it with what they cost then.
gas: setup
	rm -rf contracts/snapshots
	FOUNDRY_GAS_SNAPSHOT_EMIT=true node_modules/.bin/forge test --match-contract GasTest

# Breaks the contracts in one place at a time: a test has to notice each. Writes docs/mutants.md; `make mutants ONLY=BridgedUSDC`
# is for one of them, and a run that was stopped goes on where it was.
mutants: setup
	node contracts/mutants.mjs $(if $(ONLY),--only $(ONLY))

# Locks carry hashes and no download addresses; `npm install` renews package-lock.json.
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/bootstrap.in -o requirements/bootstrap.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements/runtime.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -c requirements/runtime.lock -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/audit.in -o requirements/audit.lock

clean:
	rm -rf .venv .venv-audit node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis contracts/out contracts/cache
