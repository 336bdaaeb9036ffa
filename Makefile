PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCAN := .venv-scan
MUTANTS := .venv-mutants

# What a target needs is installed when it is first asked for: a list of requirements/ each.
RUN := $(VENV)/.run
SMOKE := $(RUN) $(VENV)/.smoke
DEPLOY := $(RUN) $(VENV)/.deploy
TEST := $(SMOKE) $(DEPLOY) $(VENV)/.test
LINT := $(VENV)/.lint

PORT ?= 8000
AWS_PORT ?= 4566
STATE_DIR ?= .local
# A shell may have a variable of this name for a purpose of its own; what acts on a stack is told by whoever types it.
ifeq ($(origin ENV),environment)
  ifneq ($(filter dev prod,$(ENV)),)
    $(error ENV=$(ENV) is in the environment. Say it after make instead: make ... ENV=$(ENV))
  endif
endif
ifneq ($(origin ENV),command line)
  ENV := dev
endif
BUILT ?= .aws-sam/build/template.yaml

# On AWS the stack of this name or environment, otherwise the one that runs here.
ON_AWS = $(or $(STACK),$(if $(filter command,$(origin ENV)),filestore-$(ENV)))
HERE = --state-dir '$(STATE_DIR)' $(if $(ON_AWS),--stack '$(ON_AWS)')
OPS = $(BIN)/python -m ops --env '$(ENV)' $(if $(STACK),--stack '$(STACK)')

.DEFAULT_GOAL := help
.PHONY: help run logs test scan types style lint format unit integration browser browser-big package publish proof fuzz replay audit dead-letters redrive fill-list hand-over build bench diagrams deploy key keys revoke remove lock clean smoke kills teeth mutants

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'
	@echo
	@echo "  Options of make run: PORT=$(PORT) AWS_PORT=$(AWS_PORT) STATE_DIR=$(STATE_DIR)"
	@echo "  STORE_ON_LOAD=True PUBLIC_UPLOAD=False KEY_ISOLATION=True SIGNED_URL_EXPIRATION=seconds UNSTORED_FILE_LIFETIME=seconds"
	@echo "  LATE_UPLOAD_MARGIN=seconds SWEEP_SCHEDULE='rate(1 minute)'"

run: $(RUN) ## Run the whole stack on this machine until Ctrl-C
	@exec $(BIN)/python -m local --port '$(PORT)' --aws-port '$(AWS_PORT)' --state-dir '$(STATE_DIR)' \
		$(if $(STORE_ON_LOAD),--store-on-load '$(STORE_ON_LOAD)') \
		$(if $(PUBLIC_UPLOAD),--public-upload '$(PUBLIC_UPLOAD)') \
		$(if $(KEY_ISOLATION),--key-isolation '$(KEY_ISOLATION)') \
		$(if $(SIGNED_URL_EXPIRATION),--signed-url-expiration '$(SIGNED_URL_EXPIRATION)') \
		$(if $(UNSTORED_FILE_LIFETIME),--unstored-file-lifetime '$(UNSTORED_FILE_LIFETIME)') \
		$(if $(LATE_UPLOAD_MARGIN),--late-upload-margin '$(LATE_UPLOAD_MARGIN)') \
		$(if $(SWEEP_SCHEDULE),--sweep-schedule '$(SWEEP_SCHEDULE)')

logs: $(RUN) ## Show what the functions of make run have logged; ID=... for one upload or request
	@$(BIN)/python -m ops.logs --state-dir '$(STATE_DIR)' '$(ID)'

test: lint $(TEST) ## Check everything and run every test
	@$(BIN)/python -m tests

scan: $(SCAN)/.installed ## Check the template, the code and the workflows for what makes them unsafe
	@$(SCAN)/bin/python -m tools.template --whole .aws-sam/whole.yaml
	@$(SCAN)/bin/checkov --file .aws-sam/whole.yaml --framework cloudformation
	@$(SCAN)/bin/bandit --quiet --recursive source ops -c pyproject.toml
	@$(SCAN)/bin/zizmor --quiet --offline --no-progress .github/workflows
	@$(SCAN)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(SCAN)/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(SCAN)/bin/cfn-lint template.yaml .aws-sam/whole.yaml

types: $(TEST) $(LINT) ## Check types
	@$(BIN)/mypy

style: $(TEST) $(LINT) ## Check style and imports, and the template as the SAM CLI sees it
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@PYTHONPATH=source $(BIN)/lint-imports --no-logo
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(BIN)/sam validate --lint

lint: $(TEST) $(LINT) $(SCAN)/.installed ## Check style, types, imports, the template, and what makes them unsafe
	@$(MAKE) --no-print-directory --jobs 2 types scan style

format: $(LINT) ## Format the code, and mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

unit: $(TEST) ## Run the unit tests: functions in process, on moto and on the emulator
	@$(BIN)/python -m pytest tests/unit

integration: $(TEST) ## Run the tests of the deployed stack over HTTP
	@$(BIN)/python -m pytest tests/integration

browser: $(TEST) ## Run the tests of the page in Chromium
	@$(BIN)/python -m pytest tests/browser

browser-big: $(TEST) ## Upload a GiB in Chromium, undisturbed and disturbed, and tell how the page felt (10 minutes, 8 GB of disk)
	@BIG=yes $(BIN)/python -m pytest -s tests/browser/test_interruptions.py
	@PYTHONPATH=source $(BIN)/python -m tests.browser.big

package: ## Build the browser package, check its size and pack it for npm (needs Node.js)
	@cd static && npm ci --ignore-scripts --no-audit --no-fund --silent
	@cd static/filestore-client && npm pack --silent

publish: has-stack $(RUN) ## Publish the page to S3: STACK=name [BUCKET=name] [BACKEND_URL=https://...]
	@$(BIN)/python -m ops.publish --stack '$(STACK)' $(if $(BUCKET),--bucket '$(BUCKET)') \
		$(if $(BACKEND_URL),--backend-url '$(BACKEND_URL)') $(if $(API_ROOT_URL),--api-root-url '$(API_ROOT_URL)')

.PHONY: has-stack
has-stack:
	@$(if $(STACK),,echo "error: name the stack: make publish STACK=filestore-dev" >&2; exit 1)

proof: $(TEST) ## Prove the lifecycle under faults: SCHEDULES=10000 SEED=7, report in .local/proof/report.md
	@SCHEDULES='$(SCHEDULES)' SEED='$(SEED)' $(BIN)/python -m pytest tests/proof

teeth: $(TEST) ## Tell which seeded bugs random schedules alone catch, and with which of SEEDS=5
	@SCHEDULES='$(SCHEDULES)' PYTHONPATH=source $(BIN)/python -m tests.proof.seeds $(or $(SEEDS),5)

fuzz: $(TEST) ## Call the handlers 100,000 times with hostile input
	@FUZZ=100000 SEED='$(SEED)' $(BIN)/python -m pytest tests/proof/test_fuzz.py

mutants: $(TEST) $(LINT) $(MUTANTS)/.installed ## Change the source in some 4,500 small ways and print what no unit test notices; ONLY=module EVERY=10 JOBS=2
	@PYTHONPATH=source $(BIN)/python -m tests.mutants --generator $(MUTANTS)/bin/python \
		--jobs '$(or $(JOBS),2)' --only '$(ONLY)' --every '$(or $(EVERY),1)'

replay: $(TEST) ## Use the upload URLs of stored files again, 1,000 times
	@REPLAYS=1000 $(BIN)/python -m pytest tests/integration/faults -k replayed

smoke: $(SMOKE) ## Test a stack that was deployed (ENV=dev, prod or STACK=name on AWS, otherwise the one here); UPDATE=yes more
	@exec $(BIN)/python -m ops.smoke $(HERE) $(if $(ONLY),--only '$(ONLY)') \
		$(if $(filter yes,$(UPDATE)),--with-update) $(if $(filter no,$(MULTIPART)),--no-multipart) \
		$(if $(filter yes,$(YES)),--yes) $(if $(filter yes,$(CLEAN)),--clean) $(if $(METRICS_WITHIN),--metrics-within '$(METRICS_WITHIN)')

kills: $(TEST) ## Kill the emulator of make run 50 times under load: KILLS=50 SEED=7
	@KILLS='$(or $(KILLS),50)' SEED='$(SEED)' $(BIN)/python -m pytest -s tests/integration/test_kills.py tests/integration/test_kill_window.py

audit: $(RUN) ## Compare bucket and table, read-only: of ENV=dev, prod or STACK=name on AWS, otherwise of what runs here
	@$(BIN)/python -m ops.audit $(HERE)

dead-letters: $(RUN) ## Show the dead letters, likewise
	@$(BIN)/python -m ops.redrive --show $(HERE)

redrive: $(RUN) ## Move the dead letters back to their queue, likewise
	@$(BIN)/python -m ops.redrive $(HERE)

fill-list: $(RUN) ## Put into the list the files that were stored before there was one, likewise: RATE=100 writes a second, AFTER=id
	@$(BIN)/python -m ops.fill_list $(HERE) $(if $(RATE),--rate '$(RATE)') $(if $(AFTER),--after '$(AFTER)')

hand-over: $(RUN) ## Give the files of one API key to another, likewise: FROM=id TO=id, nobody for neither (KeyIsolation)
	@$(BIN)/python -m ops.hand_over $(HERE) --from '$(FROM)' --to '$(TO)' $(if $(RATE),--rate '$(RATE)') $(if $(AFTER),--after '$(AFTER)')

build: $(RUN) ## Build what is deployed, for sam deploy (PYTHON_FOR_BUILD=the runtime's Python, if not on the PATH)
	@PYTHON_FOR_BUILD='$(PYTHON_FOR_BUILD)' $(BIN)/python -m tools.build

bench: $(TEST) ## Measure what Filestore costs; QUICK=1 in two minutes
	@PYTHON_FOR_BUILD='$(PYTHON_FOR_BUILD)' $(BIN)/python -m bench $(if $(QUICK),--quick)

diagrams: ## Draw the architecture's diagrams anew (needs Graphviz)
	@for name in architecture/*.dot; do dot -Tsvg "$$name" -o "$${name%.dot}.svg"; done

deploy: is-environment has-account $(DEPLOY) $(BUILT) ## Deploy to AWS: ENV=dev or prod, as samconfig.toml says; STACK=name for another stack
	@$(MAKE) --no-print-directory deploy-built

# Of what make build has made. Of the environment it needs the SAM CLI alone, so that a job with rights installs nothing else.
.PHONY: deploy-built
deploy-built: is-environment
	@$(OPS) check
	@SAM_CLI_TELEMETRY=0 $(BIN)/sam deploy --config-file '$(CURDIR)/samconfig.toml' --config-env '$(ENV)' \
		--template-file '$(BUILT)' $(if $(STACK),--stack-name '$(STACK)') \
		$(if $(filter no,$(CONFIRM)),--no-confirm-changeset) || { $(OPS) check; exit 1; }

# Before minutes of installing and building.
.PHONY: has-account
has-account: $(RUN)
	@$(OPS) check

.PHONY: is-environment
is-environment:
	@$(if $(filter dev prod,$(ENV)),,echo "error: ENV is dev or prod, not $(ENV)" >&2; exit 1)

# What is deployed: the template with the functions' code built for Lambda.
.aws-sam/build/template.yaml: $(RUN) template.yaml monitoring.yaml swagger.yaml .ci/functions-requirements.txt $(shell find source tools -name '*.py' -o -name '*.txt')
	@$(MAKE) --no-print-directory build

key: $(RUN) ## Make an API key for a back end and print it: NAME=... ENV=dev or prod
	@$(OPS) key '$(NAME)'

keys: $(RUN) ## List the API keys
	@$(OPS) keys

revoke: $(RUN) ## Delete an API key: NAME=...
	@$(OPS) revoke '$(NAME)'

remove: $(RUN) ## Delete the stack: DATA=keep leaves its files, DATA=delete (not in prod) does not
	@$(OPS) remove $(if $(DATA),--data '$(DATA)')

lock: ## Write constraints.txt and the locks of deployment and functions in .ci anew
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@mkdir -p $(VENV)/lock/source && cp -R requirements requirements.txt $(VENV)/lock && cp source/requirements.txt $(VENV)/lock/source
	@sed -i.old '/^-c /d' $(VENV)/lock/requirements/*.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/lock/requirements.txt
	@$(BIN)/python -m pip freeze --all --exclude setuptools --disable-pip-version-check > constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r .ci/uv-requirements.txt
	@set -e; for lock in deploy:x86_64-manylinux_2_28:requirements/deploy.txt functions:aarch64-manylinux2014:source/requirements.txt; do \
		name=$${lock%%:*}; platform=$${lock#*:}; \
		head -1 .ci/$$name-requirements.txt > $(VENV)/lock/$$name.txt; \
		$(BIN)/uv pip compile $(VENV)/lock/$${platform#*:} --quiet --constraint constraints.txt \
			--python-version 3.13 --python-platform $${platform%:*} --only-binary :all: \
			--generate-hashes --no-header --no-annotate >> $(VENV)/lock/$$name.txt; \
		mv $(VENV)/lock/$$name.txt .ci/$$name-requirements.txt; \
	done

clean: ## Remove everything that was made here, .local included
	@rm -rf $(VENV) $(SCAN) $(MUTANTS) .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache static/node_modules test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A list, and what is said of it. The mark is written when all of it is installed.
INSTALL = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 1; }; \
	$(PYTHON) tools/install.py $@ $<

$(VENV)/.run: requirements/run.txt source/requirements.txt constraints.txt
	$(INSTALL) 'what make run needs (165 MB, some 10 seconds, once)'

$(VENV)/.smoke: requirements/smoke.txt constraints.txt
	$(INSTALL) 'what make smoke needs (11 MB, a few seconds, once)'

$(VENV)/.deploy: requirements/deploy.txt constraints.txt
	$(INSTALL) 'the SAM CLI (145 MB, some 5 seconds, once)'

$(VENV)/.test: requirements/test.txt constraints.txt
	$(INSTALL) 'what the tests need (400 MB, some 15 seconds, once)' compile

$(VENV)/.lint: requirements/lint.txt constraints.txt
	$(INSTALL) 'what make lint needs (90 MB, a few seconds, once)'

$(SCAN)/.installed: .ci/scan-requirements.txt
	$(INSTALL) 'what make scan needs (400 MB, some 10 seconds, once)'

$(MUTANTS)/.installed: .ci/mutants-requirements.txt
	$(INSTALL) 'what make mutants needs (115 MB, a few seconds, once)'
