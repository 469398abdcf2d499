"""What each profile makes Snakemake do, as its own command line parser and dry runs see it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake import cli

ROOT = Path(__file__).parents[1]
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
    return yaml.safe_load((ROOT / "profiles" / name / "config.v9+.yaml").read_text())


def parsed(monkeypatch, *arguments):
    """Snakemake's settings for a command typed at the top of the checkout."""
    monkeypatch.chdir(ROOT)
    return cli.parse_args(arguments)[1]


def dry_run(directory, *arguments):
    """Output of a dry run of the smoke study, as if nothing were computed yet."""
    study = ["--configfile", "config/smoke.yaml", "--directory", directory]
    command = [Path(sys.executable).with_name("snakemake"), "-n", *study, *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def jobs(output):
    """The jobs of a dry run: rule, threads, resources."""
    found = []
    for line in map(str.strip, output.splitlines()):
        if line.startswith(("rule ", "localrule ")):
            found.append({"rule": line.split()[-1].rstrip(":"), "threads": 1})
        elif line.startswith("threads: "):
            found[-1]["threads"] = int(line.split()[-1])
        elif line.startswith("resources: ") and found:
            found[-1] |= dict(entry.split("=", 1) for entry in line.removeprefix("resources: ").split(", "))
    assert found
    return found


@pytest.fixture(scope="module")
def slurm_jobs(tmp_path_factory):
    return jobs(dry_run(tmp_path_factory.mktemp("slurm"), "--profile", "slurm"))


def test_default_leaves_place_and_amount_to_the_command():
    assert not WHERE_AND_HOW_MUCH & profile("default").keys()


def test_local_run(monkeypatch):
    settings = parsed(monkeypatch, "-c2")
    assert (settings.executor, settings.cores, settings.jobs, settings.retries) == (None, 2, None, 0)
    assert not settings.default_resources and not settings.set_resources and not settings.set_threads


def test_slurm_run(monkeypatch):
    settings = parsed(monkeypatch, "--profile", "slurm")
    assert (settings.executor, settings.retries, settings.slurm_status_command) == ("slurm", 2, "squeue")
    assert settings.show_failed_logs  # profiles/default stays in force


def test_slurm_limits_exceed_any_array():
    """A score job that is ready but held back by a limit keeps an array from ever being submitted."""
    settings = profile("slurm")
    assert settings["slurm-array-jobs"] == "score"
    assert settings["jobs"] == settings["cores"] == int(settings["max-jobs-per-timespan"].partition("/")[0]) == 100000


def test_slurm_resources(slurm_jobs):
    for job in slurm_jobs:
        assert job["slurm_partition"] == ("gpu" if job["rule"] == "score" else "cpu")
        assert job.get("gpu") == ("1" if job["rule"] == "score" else None)
        assert job.get("slurm_extra") == ("--exclusive" if job["rule"] == "measure" else None)
        assert job["threads"] == {"score": 4, "measure": 4, "analysis": 2}.get(job["rule"], 1)


def test_slurm_submits_few_jobs(slurm_jobs):
    """Besides a job per space, per shard and per set of images there is one job for all the rest."""
    heavy = {"architectures", "images", "score", "measure"}
    targets = {"all", "tables", "figures"}
    assert {job["rule"] for job in slurm_jobs} - heavy - targets == profile("slurm")["groups"].keys()


def test_what_to_edit_is_five_lines_at_the_top():
    lines = (ROOT / "profiles/slurm/config.v9+.yaml").read_text().splitlines()
    edits = [number for number, line in enumerate(lines) if "# EDIT" in line]
    assert len(edits) <= 5 and edits[-1] < 15


def test_other_cluster(tmp_path):
    submit = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "qsub", "--jobs", "10"]
    assert not any("slurm_partition" in job for job in jobs(dry_run(tmp_path, *submit)))


def test_only_the_profile_knows_slurm():
    product = ["Snakefile", "workflow/**/*.smk", "workflow/**/*.py", "config/*.yaml"]
    files = [file for pattern in product for file in ROOT.glob(pattern)]
    assert [file for file in files if "slurm" in file.read_text().lower()] == []


def test_profiles_link():
    assert os.readlink(ROOT / "slurm") == "profiles/slurm"
