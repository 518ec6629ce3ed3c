# Everything here works with Python 3.11 or newer and make: the environment is made when missing.
PYTHON ?= python3
BIN := .venv/bin
# Bytecode is kept: without it each command compiles the frameworks anew, which takes ten seconds.
unexport PYTHONDONTWRITEBYTECODE
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-half test-rest lint clean

help:
	@echo "make demo   train, match and measure disparity on real photographs; a page shows it"
	@echo "make test   all tests"
	@echo "make lint   ruff and mypy"
	@echo "make clean  remove what the others made, the environment excepted"

demo: $(READY)
	$(BIN)/corr demo --out demo

# Two processes side by side, which take about as long as each other; of one thread each, since
# threads of two processes that share two cores wait for one another.
ONE_THREAD := OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1
HALF := tests/search tests/losses tests/evaluation tests/models tests/volume

test: $(READY)
	@$(MAKE) --no-print-directory -j2 test-half test-rest

test-half: $(READY)
	$(ONE_THREAD) $(BIN)/pytest $(HALF)

test-rest: $(READY)
	$(ONE_THREAD) $(BIN)/pytest $(HALF:%=--ignore=%)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf demo build dist .mypy_cache .pytest_cache .ruff_cache
	find corr tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "corr needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e '.[cpu,dev]'
	@touch $@
