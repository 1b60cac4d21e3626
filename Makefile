# Everything a developer runs. On a machine with Python 3.11 and make, `make demo` and `make test` need nothing else.
SHELL := /bin/bash
PYTHON ?= python3.11
UV := .tools/bin/uv
BIN := .venv/bin
export UV_NO_CONFIG := 1
export UV_PYTHON_DOWNLOADS := never

.PHONY: setup demo test torch-env check fix bench bench-serve bench-check bench-gateway bench-batch fuzz lock clean help

help: ## Say what there is.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1|/' | column -t -s '|'

# uv itself: from PyPI, its hash checked, into a folder of its own.
$(UV): locks/uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "mooring needs Python 3.11 or newer: set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .tools 2>/dev/null || { echo "$(PYTHON) cannot make environments; on Debian: apt install python3-venv" >&2; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt
	@touch $(UV)

.venv/.ready: $(UV) locks/dev.txt pyproject.toml packages/serve/pyproject.toml
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --python .venv --require-hashes locks/dev.txt
	@$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation -e . -e packages/serve
	@touch $@

setup: .venv/.ready ## Make the environment in .venv, with the mooring command in it.

demo: setup ## Serve the mnist example, ask it for a 7; the same from a container image, and on a platform.
	@$(BIN)/python scripts/demo.py

test: setup torch-env ## Run every test; starts a container engine of its own if none answers.
	@$(BIN)/python scripts/with_engine.py $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST)

# A wheel for PyTorch without CUDA is not on every index: PIP_FIND_LINKS may name a folder that has it.
torch-env: .cache/torch-env/.ready ## PyTorch (CPU) and scikit-learn, for the tests that serve real packages.
.cache/torch-env/.ready: $(UV) locks/torch.txt
	@{ $(UV) venv --quiet --allow-existing --python $(PYTHON) .cache/torch-env \
	  && $(UV) pip sync --quiet --python .cache/torch-env --require-hashes \
	    $(foreach place,$(PIP_FIND_LINKS),--find-links "$(place)") locks/torch.txt \
	  && touch $@; } \
	|| { rm -rf .cache/torch-env; \
	  echo "PyTorch could not be installed: the tests that need it will be skipped" >&2; }

check: setup ## Lint, types, layers, docs. Changes nothing.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/vermin --quiet --no-tips --violations -t=3.10- packages/serve/src/mooring_serve/*.py
	@$(BIN)/vermin --quiet --no-tips --violations -t=3.8- packages/serve/src/mooring_serve/handler.py packages/serve/src/mooring_serve/wire.py packages/serve/src/mooring_serve/program.py packages/serve/src/mooring_serve/worker packages/serve/src/mooring_serve/compat
	@$(BIN)/python scripts/docs.py --check

fix: setup ## Format, mend what can be mended, write the generated docs anew.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python scripts/docs.py

bench: bench-serve bench-check bench-gateway bench-batch ## Run every benchmark.

bench-serve: setup ## Measure the server in the image beside its peers; writes docs/benchmarks/serve.md.
	@$(BIN)/python benchmarks/serve/run.py

bench-check: setup ## Measure the check beside its parts; writes docs/benchmarks/check.md.
	@$(BIN)/python benchmarks/check/run.py

bench-gateway: setup ## Measure the gateway beside nginx and HAProxy; writes docs/benchmarks/gateway.md.
	@$(BIN)/python benchmarks/gateway/run.py

bench-batch: setup ## Measure batch jobs beside plain clients; writes docs/benchmarks/batch.md.
	@$(BIN)/python benchmarks/batch/run.py

# atheris has wheels for few systems, and nothing else here needs it: it gets an environment of its own.
fuzz: setup ## Read what a fuzzer thinks up, five minutes each reader; what it breaks becomes a test.
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .cache/fuzz-env
	@$(UV) pip install --quiet --python .cache/fuzz-env atheris -e . -e packages/serve
	@cd .cache && for reader in layer archive; do \
	  mkdir -p "fuzz-$$reader" \
	  && fuzz-env/bin/python ../fuzz/seeds.py "$$reader" "fuzz-$$reader" \
	  && fuzz-env/bin/python "../fuzz/read_$$reader.py" "fuzz-$$reader" -max_len=16384 -timeout=10 -max_total_time=300 \
	  || exit 1; done

lock: $(UV) ## Resolve the locks anew, hashes and no URLs.
	@UV="$(UV)" scripts/lock

clean: ## Remove what the targets above made.
	rm -rf .venv .tools .cache build
