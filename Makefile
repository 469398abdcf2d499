# One command each; the first that runs sets up .venv from the pinned requirements.

CORES ?= $(shell nproc)
PYTHON ?= python3
BIN = .venv/bin

DATA_DIR ?= data

.PHONY: study hardware test lint smoke test-reruns test-slurm test-spaces bench

study: .venv/ready
	$(BIN)/snakemake -c$(CORES) --report-after-run --report results/report.html
	@echo
	@echo "Kendall's tau-b with accuracy, 95 % interval, on the sampled architectures:"
	@awk -F, '$$5 == "sampled" && $$6 == 1 {printf "%-15s %-10s %5.2f [%5.2f, %5.2f]\n", $$4, $$2, $$12, $$13, $$14}' \
		results/tables/correlation.csv | sort -k3,3 -rn
	@echo "all rows: results/tables/correlation.csv, report: results/report.html"

hardware: .venv/ready
	$(BIN)/snakemake -c$(CORES) --configfile config/hardware.yaml --config "data_dir=$(DATA_DIR)" \
		--report-after-run --report results/report.html

test: .venv/ready
	$(BIN)/pytest

test-reruns: .venv/ready
	$(BIN)/pytest tests/reruns

test-slurm: .venv/ready
	$(BIN)/pytest tests/slurm

test-spaces: .venv/ready
	$(BIN)/pytest tests/spaces

bench: .venv/ready
	$(BIN)/python tests/bench_survey.py
	$(BIN)/python tests/bench_spaces.py
	$(BIN)/python tests/bench_score.py
	$(BIN)/python tests/bench_memory.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

smoke: .venv/ready
	$(BIN)/snakemake -c$(CORES) --configfile config/smoke.yaml --report-after-run --report results/report.html

.venv/ready: envs/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -r envs/requirements.txt
	touch $@
