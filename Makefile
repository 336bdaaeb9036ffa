PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SCAN := .venv-scan
MUTANTS := .venv-mutants

PORT ?= 8000
AWS_PORT ?= 4566
STATE_DIR ?= .local
ENV ?= dev
BUILT ?= .aws-sam/build/template.yaml

# On AWS the stack of this name or environment, otherwise the one that runs here.
ON_AWS = $(or $(STACK),$(if $(filter command,$(origin ENV)),filestore-$(ENV)))
HERE = --state-dir '$(STATE_DIR)' $(if $(ON_AWS),--stack '$(ON_AWS)')
OPS = $(BIN)/python -m ops --env '$(ENV)' $(if $(STACK),--stack '$(STACK)')

.DEFAULT_GOAL := help
.PHONY: help run logs test scan lint format unit integration browser browser-big publish proof fuzz replay audit letters redrive build bench diagrams deploy key keys revoke remove lock clean smoke kills teeth mutants

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'
	@echo
	@echo "  Options of make run: PORT=$(PORT) AWS_PORT=$(AWS_PORT) STATE_DIR=$(STATE_DIR)"
	@echo "  STORE_ON_LOAD=True SIGNED_URL_EXPIRATION=seconds UNSTORED_FILE_LIFETIME=seconds LATE_UPLOAD_MARGIN=seconds"
	@echo "  SWEEP_SCHEDULE='rate(1 minute)'"

run: $(INSTALLED) ## Run the whole stack on this machine until Ctrl-C
	@exec $(BIN)/python -m local --port '$(PORT)' --aws-port '$(AWS_PORT)' --state-dir '$(STATE_DIR)' \
		$(if $(STORE_ON_LOAD),--store-on-load '$(STORE_ON_LOAD)') \
		$(if $(SIGNED_URL_EXPIRATION),--signed-url-expiration '$(SIGNED_URL_EXPIRATION)') \
		$(if $(UNSTORED_FILE_LIFETIME),--unstored-file-lifetime '$(UNSTORED_FILE_LIFETIME)') \
		$(if $(LATE_UPLOAD_MARGIN),--late-upload-margin '$(LATE_UPLOAD_MARGIN)') \
		$(if $(SWEEP_SCHEDULE),--sweep-schedule '$(SWEEP_SCHEDULE)')

logs: $(INSTALLED) ## Show what the functions of make run have logged; ID=... for one upload or request
	@$(BIN)/python -m local.logs --state-dir '$(STATE_DIR)' '$(ID)'

test: lint $(INSTALLED) ## Check everything and run every test
	@$(BIN)/python -m pytest

scan: $(SCAN)/.installed ## Check the template, the code and the workflows for what makes them unsafe
	@$(SCAN)/bin/checkov --file template.yaml --framework cloudformation --compact --quiet --skip-download
	@$(SCAN)/bin/bandit --quiet --recursive source ops -c pyproject.toml
	@$(SCAN)/bin/zizmor --quiet --offline --no-progress .github/workflows
	@$(SCAN)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(SCAN)/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

lint: scan $(INSTALLED) ## Check style, types, imports and the template
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@PYTHONPATH=source $(BIN)/lint-imports --no-logo
	@$(SCAN)/bin/cfn-lint template.yaml
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(BIN)/sam validate --lint

format: $(INSTALLED) ## Format the code, and mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

unit: $(INSTALLED) ## Run the unit tests: functions in process, on moto and on the embedded AWS
	@$(BIN)/python -m pytest tests/unit

integration: $(INSTALLED) ## Run the tests of the deployed stack over HTTP
	@$(BIN)/python -m pytest tests/integration

browser: $(INSTALLED) ## Run the tests of the page in Chromium
	@$(BIN)/python -m pytest tests/browser

browser-big: $(INSTALLED) ## Upload half a gigabyte in Chromium and tell how the page felt
	@PYTHONPATH=source $(BIN)/python -m tests.browser.big

publish: $(INSTALLED) ## Publish the page to S3: STACK=name [BUCKET=name] [BACKEND_URL=https://...]
	@$(if $(STACK),,echo "error: name the stack: make publish STACK=filestore-dev" >&2; exit 1)
	@PYTHONPATH=source $(BIN)/python -m local.publish --stack '$(STACK)' $(if $(BUCKET),--bucket '$(BUCKET)') \
		$(if $(BACKEND_URL),--backend-url '$(BACKEND_URL)') $(if $(API_ROOT_URL),--api-root-url '$(API_ROOT_URL)')

proof: $(INSTALLED) ## Prove the lifecycle under faults: SCHEDULES=10000 SEED=7, report in .local/proof/report.md
	@SCHEDULES='$(SCHEDULES)' SEED='$(SEED)' $(BIN)/python -m pytest tests/proof

teeth: $(INSTALLED) ## Tell which seeded bugs random schedules alone catch, and with which of SEEDS=5
	@SCHEDULES='$(SCHEDULES)' PYTHONPATH=source $(BIN)/python -m tests.proof.seeds $(or $(SEEDS),5)

fuzz: $(INSTALLED) ## Call the handlers 100,000 times with hostile input
	@FUZZ=100000 SEED='$(SEED)' $(BIN)/python -m pytest tests/proof/test_fuzz.py

mutants: $(INSTALLED) $(MUTANTS)/.installed ## Change the source in some 2,000 small ways and print what no unit test notices; ONLY=module EVERY=10 JOBS=2
	@PYTHONPATH=source $(BIN)/python -m tests.mutants --generator $(MUTANTS)/bin/python \
		--jobs '$(or $(JOBS),2)' --only '$(ONLY)' --every '$(or $(EVERY),1)'

replay: $(INSTALLED) ## Use the upload URLs of stored files again, 1,000 times
	@REPLAYS=1000 $(BIN)/python -m pytest tests/integration/test_faults.py -k replayed

smoke: $(INSTALLED) ## Test a stack that was deployed (ENV=dev, prod or STACK=name on AWS, otherwise the one here); UPDATE=yes more
	@exec env PYTHONPATH=source $(BIN)/python -m ops.smoke $(HERE) $(if $(ONLY),--only '$(ONLY)') \
		$(if $(filter yes,$(UPDATE)),--with-update) $(if $(filter no,$(MULTIPART)),--no-multipart) \
		$(if $(filter yes,$(YES)),--yes) $(if $(filter yes,$(CLEAN)),--clean) $(if $(METRICS_WITHIN),--metrics-within '$(METRICS_WITHIN)')

kills: $(INSTALLED) ## Kill the emulator of make run 50 times under load: KILLS=50 SEED=7
	@KILLS='$(or $(KILLS),50)' SEED='$(SEED)' $(BIN)/python -m pytest -s tests/integration/test_kills.py

audit: $(INSTALLED) ## Compare bucket and table, read-only: of ENV=dev, prod or STACK=name on AWS, otherwise of what runs here
	@PYTHONPATH=source $(BIN)/python -m ops.audit $(HERE)

letters: $(INSTALLED) ## Show the dead-letter queue, likewise
	@PYTHONPATH=source $(BIN)/python -m ops.redrive --show $(HERE)

redrive: $(INSTALLED) ## Move the dead letters back to their queue, likewise
	@PYTHONPATH=source $(BIN)/python -m ops.redrive $(HERE)

build: $(INSTALLED) ## Build what is deployed, for sam deploy (PYTHON_FOR_BUILD=the runtime's Python, if not on the PATH)
	@PYTHON_FOR_BUILD='$(PYTHON_FOR_BUILD)' $(BIN)/python -m tools.build

bench: $(INSTALLED) ## Measure what Filestore costs; QUICK=1 in two minutes
	@PYTHON_FOR_BUILD='$(PYTHON_FOR_BUILD)' $(BIN)/python -m bench $(if $(QUICK),--quick)

diagrams: ## Draw the architecture's diagrams anew (needs Graphviz)
	@for name in architecture/*.dot; do dot -Tsvg "$$name" -o "$${name%.dot}.svg"; done

deploy: $(INSTALLED) is-environment $(BUILT) ## Deploy to AWS: ENV=dev or prod, as samconfig.toml says; STACK=name for another stack
	@$(MAKE) --no-print-directory deploy-built

# Of what make build has made. Of the environment it needs the SAM CLI alone, so that a job with rights installs nothing else.
.PHONY: deploy-built
deploy-built: is-environment
	@$(OPS) check
	@SAM_CLI_TELEMETRY=0 $(BIN)/sam deploy --config-file '$(CURDIR)/samconfig.toml' --config-env '$(ENV)' \
		--template-file '$(BUILT)' $(if $(STACK),--stack-name '$(STACK)') \
		$(if $(filter no,$(CONFIRM)),--no-confirm-changeset) || { $(OPS) check; exit 1; }

.PHONY: is-environment
is-environment:
	@$(if $(filter dev prod,$(ENV)),,echo "error: ENV is dev or prod, not $(ENV)" >&2; exit 1)

# What is deployed: the template with the functions' code built for Lambda.
.aws-sam/build/template.yaml: $(INSTALLED) template.yaml swagger.yaml .ci/functions-requirements.txt $(shell find source tools -name '*.py' -o -name '*.txt')
	@$(MAKE) --no-print-directory build

key: $(INSTALLED) ## Make an API key for a back end and print it: NAME=... ENV=dev or prod
	@$(OPS) key '$(NAME)'

keys: $(INSTALLED) ## List the API keys
	@$(OPS) keys

revoke: $(INSTALLED) ## Delete an API key: NAME=...
	@$(OPS) revoke '$(NAME)'

remove: $(INSTALLED) ## Delete the stack: DATA=keep leaves its files, DATA=delete (not in prod) does not
	@$(OPS) remove $(if $(DATA),--data '$(DATA)')

lock: ## Write constraints.txt and the locks in .ci anew from requirements.txt
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@grep -v '^-c ' requirements.txt > $(VENV)/requirements.txt && sed -i 's|^-r |-r ../|' $(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/requirements.txt
	@$(BIN)/python -m pip freeze --disable-pip-version-check > constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@grep '^aws-sam-cli==' requirements.txt > $(VENV)/deploy.in
	@cp source/requirements.txt $(VENV)/functions.in
	@set -e; for lock in deploy:x86_64-manylinux_2_28 functions:aarch64-manylinux2014; do name=$${lock%%:*}; \
		head -1 .ci/$$name-requirements.txt > $(VENV)/$$name-requirements.txt; \
		$(BIN)/uv pip compile $(VENV)/$$name.in --quiet --constraint constraints.txt \
			--python-version 3.13 --python-platform $${lock#*:} --only-binary :all: \
			--generate-hashes --no-header --no-annotate >> $(VENV)/$$name-requirements.txt; \
		mv $(VENV)/$$name-requirements.txt .ci/$$name-requirements.txt; \
	done

clean: ## Remove everything that was made here, .local included
	@rm -rf $(VENV) $(SCAN) $(MUTANTS) .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache static/node_modules test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt source/requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making the virtual environment $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what requirements.txt asks for (a minute or two, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(SCAN)/.installed: .ci/scan-requirements.txt | $(INSTALLED)
	@test -x $(SCAN)/bin/python || $(PYTHON) -m venv $(SCAN)
	@echo "Installing what make scan needs (half a minute, once) ..."
	@$(SCAN)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(MUTANTS)/.installed: .ci/mutants-requirements.txt | $(INSTALLED)
	@test -x $(MUTANTS)/bin/python || $(PYTHON) -m venv $(MUTANTS)
	@echo "Installing what make mutants needs (half a minute, once) ..."
	@$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: package
package: ## Build the browser package, check its size and pack it for npm (needs Node.js)
	@cd static && npm ci --ignore-scripts --no-audit --no-fund --silent
	@cd static/filestore-client && npm pack --silent
