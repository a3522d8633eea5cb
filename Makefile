# Everything runs in .venv, which the first target that needs it makes. PYTHON=… picks another
# interpreter than the first one found.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PYTHON

RUN := .venv/bin/python -m
# With no words after it: builds kimi_nb/static/ if a source in widgets/ is newer.
FRONT := .venv/bin/python widgets/build.py
# Cells tagged nbval-check-output are compared, the others only run.
NBVAL := --nbval-lax --nbval-current-env --nbval-sanitize-with tests/nbval.cfg
# What is installed is known by what asked for it: a changed pyproject.toml installs anew.
KEY := $(shell cksum pyproject.toml | cut -d' ' -f1)
DEMO := .venv/demo-$(KEY)
LAB := .venv/lab-$(KEY)
DEV := .venv/dev-$(KEY)
# Two more than there are cores, for browsers, kernels and simulated models are waited for.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
TRAIN := .venv-train/train-$(shell cat pyproject.toml tests/train.txt | cksum | cut -d' ' -f1)

.PHONY: help demo test test-train notebooks lab check format bench setup clean

help: ## list these commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(DEMO) ## see a swarm work on files of this machine; no key needed
	@$(FRONT)
	@.venv/bin/python notebooks/demo.py

test: $(DEV) ## run all that CI runs
	@$(FRONT)
	@$(MAKE) -k -j2 check test-train; checked=$$?; \
	echo "· vitest"; \
	$(FRONT) vitest run --reporter dot || checked=1; \
	echo "· tests and notebooks"; \
	$(RUN) pytest -n $(WORKERS) --dist loadscope $(NBVAL) tests notebooks/en notebooks/zh && exit $$checked

test-train: $(TRAIN) ## run the tests that need PyTorch, in a .venv-train beside .venv
	@echo "· a language model is trained"
	@OMP_NUM_THREADS=1 .venv-train/bin/python -m pytest tests/test_parl_llm_train.py

notebooks: $(DEV) ## make the notebooks of both languages from notebooks/src
	@.venv/bin/python notebooks/build.py
	@.venv/bin/python notebooks/assignments.py

lab: $(LAB) ## open a copy of the notebooks, in curriculum/, in JupyterLab
	@$(FRONT)
	@PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/kimi-nb lab

check: $(DEV) ## lint, formatting and types only
	@echo "· ruff"
	@$(RUN) ruff check --output-format concise .
	@$(RUN) ruff format --check .
	@echo "· pyright"
	@$(RUN) basedpyright --pythonpath .venv/bin/python
	@echo "· biome"
	@$(FRONT) biome check --error-on-warnings --diagnostic-level warn
	@echo "· tsc"
	@$(FRONT) tsc --noEmit

format: $(DEV) ## format the code and mend what a tool can mend
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .
	@$(FRONT) biome check --write

bench: $(DEV) ## measure the engine beside its alternatives; takes minutes
	@.venv/bin/python tests/bench/overhead.py

setup: $(DEV) ## install what development needs, and the pre-commit hooks
	@$(RUN) pre_commit install

clean: ## remove .venv, caches and what was built; the logs of your runs stay
	rm -rf .venv .venv-train build dist kimi_nb/static widgets/node_modules
	rm -rf .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEMO):
	@.ci/setup demo $@

$(LAB):
	@.ci/setup demo,lab $@

$(DEV):
	@.ci/setup dev,lab $@

# Made anew with .venv: it may be of another Python.
$(TRAIN): .venv/pyvenv.cfg
	@.ci/setup-train $@

.venv/pyvenv.cfg: | $(DEV) ;
