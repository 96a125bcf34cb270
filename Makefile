# Two commands on a fresh machine with Python 3.10+ and make: `make demo` and `make test`.
# Each makes the environment it needs, once, and again when a pyproject.toml has changed.

PYTHON ?= python3
VENV := .venv
DEMO_VENV := .venv-demo
TRAIN_VENV := .venv-train
CONVERTERS_VENV := .venv-converters
BIN := $(VENV)/bin
PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml) converters/pyproject.toml
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
EDITABLE := $(foreach plugin,$(PLUGINS),-e ./$(plugin))
# The folder of labelled picture packs (NAME.tar), which no repository may hold: the tests that want them skip without.
MEDSDK_DATA ?= $(abspath ../shared/data)
export MEDSDK_DATA
PIP := -m pip --disable-pip-version-check install --quiet

.PHONY: demo test test-all test-converters test-downstream test-runtimes test-arm64 check docs figures screenshots train ship clean

demo: $(DEMO_VENV)/ready
	@$(DEMO_VENV)/bin/python examples/demo.py

test: $(VENV)/ready
	$(BIN)/python -m pytest -m "not slow"

test-all: $(VENV)/ready
	$(BIN)/python -m pytest

# TensorFlow lives in an environment of its own. ImageNet weights, and the PyTorch that reads them, are left out: the tests
# that want them skip.
test-converters: $(CONVERTERS_VENV)/ready
	$(CONVERTERS_VENV)/bin/python -m pytest converters/tests -m "not slow"

# What third parties wrote, against this tree: wheels into an empty environment, each example package's own suite there.
test-downstream: $(VENV)/ready
	PYTHON=$(CURDIR)/$(BIN)/python tests/downstream/run.sh

# The core tests under tflite-runtime (which wants a python3.11) and under TensorFlow's interpreter.
test-runtimes: $(VENV)/ready
	PYTHON=$(CURDIR)/$(BIN)/python tests/runtimes/run.sh

# The core tests, every shipped model and the server on an emulated Raspberry Pi 4: wants Debian's qemu-user-static, proot and
# debootstrap, which root gets installed.
test-arm64: $(VENV)/ready
	PYTHON=$(CURDIR)/$(BIN)/python tests/arm64/run.sh

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The documentation as pages, in build/docs.
docs: $(VENV)/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Every figure in the cards, the READMEs and the docs, from the shipped bundles: make figures MEDSDK_DATA=folder
figures: $(VENV)/ready
	$(BIN)/python benchmarks/figures.py --data $(MEDSDK_DATA)

# The docs' pictures of the web pages; wants chromium.
screenshots: $(VENV)/ready
	MEDSDK_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/web/test_screenshots.py

# One model: make train DISEASE=malaria MEDSDK_DATA=folder
train: $(TRAIN_VENV)/ready
	$(TRAIN_VENV)/bin/medsdk train $(DISEASE) --data $(MEDSDK_DATA) --out build/$(DISEASE)

# Put a trained bundle where its plugin ships it from.
ship:
	cp $(addprefix build/$(DISEASE)/,card.json model.tflite reference.npz) plugins/$(DISEASE)/medsdk_$(DISEASE)/
	cp $(addprefix build/$(DISEASE)/,README.md calibration.svg) plugins/$(DISEASE)/

$(DEMO_VENV)/ready: $(PROJECTS)
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/python $(PIP) . ./plugins/malaria ./plugins/retinopathy
	@touch $@

$(VENV)/ready: $(PROJECTS) tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) -e ".[evaluate,new,testing,web]" $(EDITABLE) -r tests/requirements.txt
	@touch $@

$(TRAIN_VENV)/ready: $(PROJECTS)
	$(PYTHON) -m venv $(TRAIN_VENV)
	$(TRAIN_VENV)/bin/python $(PIP) -e ".[evaluate]" -e "./converters[imagenet]" $(EDITABLE)
	@touch $@

$(CONVERTERS_VENV)/ready: $(PROJECTS)
	$(PYTHON) -m venv $(CONVERTERS_VENV)
	$(CONVERTERS_VENV)/bin/python $(PIP) -e ".[evaluate]" -e ./converters -e ./plugins/malaria pytest
	@touch $@

clean:
	rm -rf $(VENV) $(CONVERTERS_VENV) $(DEMO_VENV) $(TRAIN_VENV) build demo
