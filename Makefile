# Everything lives in .venv, which is made at need from the locks in requirements/: git, Python 3.11+ and make suffice.
# DATA=path    what `make demo` ingests            ARGS="-k name"  more arguments for pytest, the benchmarks, make lock
# PYTHON=path  the Python that .venv is made with  VENV=folder     an environment elsewhere

VENV ?= .venv
BIN := $(VENV)/bin
COVERAGE_MINIMUM := 95
# Most of a test is waiting for a server; files are shared among so many processes, each with a server of its own.
JOBS ?= 4
PYTEST := -m pytest -n $(JOBS) --dist loadfile
MIGRATIONS = $(filter-out %.rollback.sql,$(wildcard migrations/*.sql))

# Where nobody can look, in CI, tests that failed are run once more, alone. What passes then is unsteady, not right: the
# run goes on, and .ci/run names it at the end.
again = { [ -n "$$CI" ] && echo "::: once more, those that failed" && $(1) -m pytest --last-failed \
	--last-failed-no-failures none; }

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# pyright runs its bundled self on the node from a wheel, and asks no server for a newer version.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-integration test-unit-integration test-container test-pgbouncer \
	test-deploy test-python313 check check-format check-types check-public check-floors check-migrations check-locks \
	faults kills format bench bench-report docs site pin wheel lock dev embedded peers clean

help:
	@echo "make demo [DATA=path]  set up and run the main job: ingest, report, list, one workflow, statistics"
	@echo "make test [ARGS=...]   set up and run every test this machine can run, with coverage"
	@echo "make test-container    on PostgreSQL 17 in a container; make test-pgbouncer: by way of PgBouncer; make test-deploy"
	@echo "make faults            tasks, faults and a model (ARGS=\"--seed 7 --seconds 60\"); make kills: SIGKILLs"
	@echo "make check             linters, types, floors, migrations, locks"
	@echo "make bench             the benchmarks, beside their peers (ARGS=\"ingest --scale 100k --save\")"
	@echo "make bench-report      pages, plots and the tables of docs/performance.md anew from benchmarks/results"
	@echo "make docs              write the generated reference anew"
	@echo "make site              the pages of docs/ as a site, into build/site; a warning is an error"
	@echo "make lock              resolve requirements/ anew (ARGS=--upgrade takes the newest)"
	@echo "make pin               digests in place of tags for the images of deploy/compose.yaml"
	@echo "make wheel             build dist/*.whl and dist/*.tar.gz"
	@echo "make format            let ruff format and repair"
	@echo "make clean             remove .venv, caches and build results"

dev:
	@python=$$(tools/python) && "$$python" tools/setup.py $(VENV) dev peers

embedded:
	@python=$$(tools/python) && "$$python" tools/setup.py $(VENV) embedded dev peers

peers:
	@python=$$(tools/python) && "$$python" tools/setup.py $(VENV) peers

demo: embedded
	@$(BIN)/workflow-store demo $(DATA)

# The plugin is imported by pytest before any test: coverage starts first, so that its lines are counted.
# With ARGS a part of the tests may run, and the threshold does not hold.
test: dev
	@$(BIN)/coverage erase
	$(BIN)/coverage run $(PYTEST) $(ARGS) || $(call again,$(BIN)/coverage run)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(if $(strip $(ARGS)),--fail-under=0,--fail-under=$(COVERAGE_MINIMUM))

test-unit: dev
	$(BIN)/python $(PYTEST) tests/unit $(ARGS)

test-integration: dev
	$(BIN)/python $(PYTEST) tests/integration $(ARGS)

test-unit-integration: dev
	export WORKFLOW_STORE_TEST_SERVER=embedded; \
		$(BIN)/python $(PYTEST) tests/unit tests/integration $(ARGS) || $(call again,$(BIN)/python)

test-container: dev
	export WORKFLOW_STORE_TEST_SERVER=container; \
		$(BIN)/python $(PYTEST) tests/integration tests/contract $(ARGS) || $(call again,$(BIN)/python)

# By way of PgBouncer in transaction mode, as stores are used: with its prepared statements, and with none.
POOLED := $(addprefix tests/integration/test_,repository.py ingest.py ingest_modes.py recognition.py writer.py \
	updates.py search.py listing.py transaction.py scrapes.py quarantine.py media.py collections.py statistics.py) \
	tests/contract/test_functions.py tests/contract/test_original.py
test-pgbouncer: dev
	export WORKFLOW_STORE_TEST_SERVER=container; for mode in prepared unprepared; do \
		export WORKFLOW_STORE_TEST_POOLER=$$mode; \
		$(BIN)/python $(PYTEST) $(POOLED) $(ARGS) || $(call again,$(BIN)/python) || exit 1; done

# What lies in deploy/, built from the images in tests/images, and started. Takes docker-compose.
test-deploy: dev
	$(BIN)/python -m pytest tests/deploy $(ARGS)

# What the server plans is the same whatever Python asks.
test-python313:
	tests/images/python/run "$(CURDIR)" make test-unit-integration ARGS="--ignore=tests/integration/test_plans.py $(ARGS)"

# By hand, for as long as one likes; a seed repeats a run as far as the machine allows.
faults: dev
	$(BIN)/python -m tests.faults.runner $(ARGS)

kills: dev
	$(BIN)/python -m tests.faults.kills $(ARGS)

check: check-format check-types check-public check-floors check-migrations check-locks

check-format: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-types: dev
	$(BIN)/mypy
	$(BIN)/pyright

# pyright does not follow an editable install here; a path of its own shows it the package as a user sees it.
check-public: dev
	PYTHONPATH="$(CURDIR)" $(BIN)/pyright --verifytypes workflow_store --ignoreexternal

check-floors: dev
	$(BIN)/lint-imports --no-logo

check-migrations: dev
	$(BIN)/squawk $(MIGRATIONS)

check-locks: dev
	$(BIN)/python tools/check_locks.py

format: dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: peers
	$(BIN)/python -m benchmarks $(ARGS)

bench-report: dev
	$(BIN)/python -m benchmarks.report

docs: dev
	$(BIN)/python tools/reference.py

# mkdocs announces its successor in every build.
site:
	@python=$$(tools/python) && "$$python" tools/setup.py .tools/site site --without-project
	NO_MKDOCS_2_WARNING=1 .tools/site/bin/mkdocs build

# Where a registry answers.
pin:
	tools/pin

wheel: dev
	$(BIN)/python -m build --no-isolation --outdir dist

lock:
	@python=$$(PYTHON="$${PYTHON:-python3.11}" tools/python) && \
		"$$python" tools/setup.py .tools/lock lock --without-project
	.tools/lock/bin/python tools/lock.py $(ARGS)

clean:
	rm -rf $(VENV) .tools dist build coverage.xml .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
