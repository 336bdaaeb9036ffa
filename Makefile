PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

PORT ?= 8000
AWS_PORT ?= 4566
STATE_DIR ?= .local

.DEFAULT_GOAL := help
.PHONY: help run test lint unit integration browser browser-big publish diagrams lock clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'
	@echo
	@echo "  Options of make run: PORT=$(PORT) AWS_PORT=$(AWS_PORT) STATE_DIR=$(STATE_DIR)"
	@echo "  STORE_ON_LOAD=True SIGNED_URL_EXPIRATION=seconds UNSTORED_FILE_LIFETIME=seconds"

run: $(INSTALLED) ## Run the whole stack on this machine until Ctrl-C
	@exec $(BIN)/python -m local --port '$(PORT)' --aws-port '$(AWS_PORT)' --state-dir '$(STATE_DIR)' \
		$(if $(STORE_ON_LOAD),--store-on-load '$(STORE_ON_LOAD)') \
		$(if $(SIGNED_URL_EXPIRATION),--signed-url-expiration '$(SIGNED_URL_EXPIRATION)') \
		$(if $(UNSTORED_FILE_LIFETIME),--unstored-file-lifetime '$(UNSTORED_FILE_LIFETIME)')

test: lint $(INSTALLED) ## Check everything and run every test
	@$(BIN)/python -m pytest

lint: $(INSTALLED) ## Check style, types, imports and the template
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@PYTHONPATH=source $(BIN)/lint-imports --no-logo
	@$(BIN)/cfn-lint template.yaml
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(BIN)/sam validate --lint

unit: $(INSTALLED) ## Run the unit tests: functions in process, on moto and on the embedded AWS
	@$(BIN)/python -m pytest tests/unit

integration: $(INSTALLED) ## Run the tests of the deployed stack over HTTP
	@$(BIN)/python -m pytest tests/integration

browser: $(INSTALLED) ## Run the tests of the page in Chromium
	@$(BIN)/python -m pytest tests/browser

browser-big: $(INSTALLED) ## Upload half a gigabyte in Chromium and tell how the page felt
	@PYTHONPATH=source $(BIN)/python -m tests.browser.big

publish: $(INSTALLED) ## Publish the page to S3: STACK=name [BUCKET=name] [BACKEND_URL=https://...]
	@$(if $(STACK),,echo "error: name the stack: make publish STACK=filestore" >&2; exit 1)
	@$(BIN)/python -m local.publish --stack '$(STACK)' $(if $(BUCKET),--bucket '$(BUCKET)') \
		$(if $(BACKEND_URL),--backend-url '$(BACKEND_URL)') $(if $(API_ROOT_URL),--api-root-url '$(API_ROOT_URL)')

diagrams: ## Draw the architecture's diagrams anew (needs Graphviz)
	@for name in architecture/*.dot; do dot -Tsvg "$$name" -o "$${name%.dot}.svg" && dot -Tpng -Gdpi=144 "$$name" -o "$${name%.dot}.png"; done

lock: ## Write constraints.txt anew from requirements.txt
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@grep -v '^-c ' requirements.txt > $(VENV)/requirements.txt && sed -i 's|^-r |-r ../|' $(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/requirements.txt
	@$(BIN)/python -m pip freeze --disable-pip-version-check > constraints.txt

clean: ## Remove everything that was made here, the state of make run included
	@rm -rf $(VENV) .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache static/node_modules test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt source/requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making the virtual environment $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what requirements.txt asks for (a minute or two, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
