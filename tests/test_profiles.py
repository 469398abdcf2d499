"""What each profile makes Snakemake do, as its own command line parser and dry runs see it."""

import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from runs import CHECKOUT, ask_by_gres
from snakemake import cli

WHERE_AND_HOW_MUCH = {
    "executor",
    "cores",
    "jobs",
    "resources",
    "default-resources",
    "set-resources",
    "set-threads",
    "max-threads",
    "retries",
}


def profile(name):
    """The settings written in a profile."""
    return yaml.safe_load((CHECKOUT / "profiles" / name / "config.v9+.yaml").read_text())


def parsed(monkeypatch, *arguments):
    """Snakemake's settings for a command typed at the top of the checkout."""
    monkeypatch.chdir(CHECKOUT)
    return cli.parse_args(arguments)[1]


# Snakemake, with each job of a dry run as a line of JSON.
SNAKEMAKE = """
import json, sys
from snakemake import cli, logging

def job_info(self, job):
    facts = {"rule": job["rule_name"], "threads": job["threads"]} | dict(job["resources"].items())
    return json.dumps(facts, default=str)

logging.DefaultFormatter.format_job_info = job_info
cli.main(sys.argv[1:])
"""


def dry_run(directory, *arguments):
    """The jobs of the smoke study as if nothing were computed yet: rule, threads, resources."""
    study = ["--configfile", "config/smoke.yaml", "--directory", directory]
    command = [sys.executable, "-c", SNAKEMAKE, "-n", *study, *arguments]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    return [json.loads(line) for line in sorted(run.stdout.splitlines()) if line.strip().startswith("{")]


@pytest.fixture(scope="module")
def slurm_jobs(tmp_path_factory):
    return dry_run(tmp_path_factory.mktemp("slurm"), "--profile", "slurm")


def test_default_leaves_place_and_amount_to_the_command():
    assert not WHERE_AND_HOW_MUCH & profile("default").keys()


def test_local_run(monkeypatch):
    settings = parsed(monkeypatch, "-c2")
    assert (settings.executor, settings.cores, settings.jobs, settings.retries) == (None, 2, None, 0)
    assert not settings.default_resources and not settings.set_resources and not settings.set_threads


def test_slurm_run(monkeypatch):
    settings = parsed(monkeypatch, "--profile", "slurm")
    assert (settings.executor, settings.jobs, settings.cores, settings.retries) == ("slurm", 200, 100000, 2)
    assert settings.slurm_status_command == "squeue"
    assert "slurm-array-jobs" not in profile("slurm")
    assert settings.show_failed_logs  # profiles/default stays in force


def test_slurm_resources(slurm_jobs):
    for job in slurm_jobs:
        assert job["slurm_partition"] == ("gpu" if job["rule"] == "score" else "cpu")
        assert job.get("gpu") == (1 if job["rule"] == "score" else None)
        assert job.get("slurm_extra") == ("--exclusive" if job["rule"] == "measure" else None)
        assert job["threads"] == {"score": 4, "measure": 4, "analysis": 4}.get(job["rule"], 1)


def test_gpus_in_the_other_style(tmp_path, slurm_jobs):
    """One line changed: --gres=gpu:1 where it was --gpus=1, and all else as it was."""
    (tmp_path / "profile").mkdir()
    text = (CHECKOUT / "profiles/slurm/config.v9+.yaml").read_text()
    (tmp_path / "profile/config.v9+.yaml").write_text(ask_by_gres(text))
    jobs = dry_run(tmp_path / "study", "--profile", tmp_path / "profile")
    assert [job.pop("gres", None) for job in jobs] == ["gpu:1" if job["rule"] == "score" else None for job in jobs]
    assert jobs == [{name: value for name, value in job.items() if name != "gpu"} for job in slurm_jobs]


def test_slurm_names_rules():
    """Snakemake says nothing of resources of a rule that is none."""
    files = (CHECKOUT / "workflow/rules").glob("*.smk")
    rules = {name for file in files for name in re.findall(r"^(?:rule|checkpoint) (\w+):", file.read_text(), re.M)}
    assert profile("slurm")["set-resources"].keys() | profile("slurm")["set-threads"].keys() <= rules


def test_slurm_groups_no_jobs():
    """Snakemake loses jobs of groups beside checkpoints."""
    assert not {"groups", "group-components"} & profile("slurm").keys()
    rules = [CHECKOUT / "Snakefile", *(CHECKOUT / "workflow/rules").glob("*.smk")]
    assert not any(line.strip().startswith("group:") for file in rules for line in file.read_text().splitlines())


def test_what_to_edit_is_five_lines_at_the_top():
    lines = (CHECKOUT / "profiles/slurm/config.v9+.yaml").read_text().splitlines()
    edits = [number for number, line in enumerate(lines) if "# EDIT" in line]
    assert len(edits) <= 5 and edits[-1] < 15


def test_other_cluster(tmp_path):
    submit = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "qsub", "--jobs", "10"]
    jobs = dry_run(tmp_path, *submit)
    assert jobs and not any("slurm_partition" in job for job in jobs)


def test_only_the_profile_knows_slurm():
    product = ["Snakefile", "workflow/**/*.smk", "workflow/**/*.py", "config/*.yaml"]
    files = [file for pattern in product for file in CHECKOUT.glob(pattern)]
    assert [file for file in files if "slurm" in file.read_text().lower()] == []


def test_profiles_link():
    assert os.readlink(CHECKOUT / "slurm") == "profiles/slurm"
