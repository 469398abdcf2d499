"""The study on a real SLURM, undisturbed and disturbed: the same numbers as without, and no work done twice.

The profile is the shipped one; tests/slurm/profile on top of it only waits less and takes fewer processes.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from board import NAME, needs_sshd
from runs import ask_by_gres, copy_checkout, counted, environment, snakemake

HERE = Path(__file__).parent
SLURM = ["--profile", "slurm", "--profile", "tests/slurm/profile"]
SMOKE = ["--configfile", "config/smoke.yaml"]
TINY = ["--configfile", "tests/tiny.yaml"]
SCORES = "results/scores/nasbench201/cifar10/scores.parquet"
CORRELATION, SELECTION = (f"results/analysis/{name}.parquet" for name in ("correlation", "selection"))
ANALYSES = [CORRELATION, SELECTION]
LOCAL = {"images", "scores", "latency", "table"}
MEASURED = ["seconds", "seconds_shared", "peak_mb"]  # of each run its own
SLEEP = "import time\nif first: time.sleep(600)"
EXIT = "if first: os._exit(1)"
HOARD = "held = b'x' * 2_500_000_000"  # at every start
SHARDS = ["0000", "0001", "0002", "0003"]


def same(directory, undisturbed, *files):
    """Assert that tables are equal to the last bit but for what is measured."""
    for file in files:
        found, expected = (pd.read_parquet(place / file) for place in (directory, undisturbed))
        columns = [column for column in expected if column not in MEASURED and "latency" not in column]
        pd.testing.assert_frame_equal(found[columns], expected[columns], check_exact=True)


def until(condition, seconds=120):
    """Wait for a condition and return its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.2)
    return value


def squeue(columns, *arguments):
    """Jobs known to SLURM, past ones too, as lists of columns."""
    command = ["squeue", "--noheader", "--states=all", "--array", "--format", "|".join(columns), *arguments]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split("|") for line in lines]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The smoke study's analyses, run without SLURM."""
    directory = copy_checkout(tmp_path_factory.mktemp("smoke"))
    snakemake(directory, "-c2", *ANALYSES, *SMOKE, seconds=1500)
    return directory


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The tiny study's selection, run without SLURM."""
    directory = copy_checkout(tmp_path_factory.mktemp("undisturbed"))
    snakemake(directory, "-c2", SELECTION, *TINY)
    return directory


class Study:
    """The tiny study on the cluster, its scores yet to be computed by disturbed jobs."""

    def __init__(self, directory, undisturbed):
        self.directory, self.faults, self.log = directory / "study", directory / "faults", directory / "log"
        shutil.copytree(undisturbed, self.directory, symlinks=True)
        for computed in (".snakemake", "results/scores/nasbench201/cifar10", "results/study", "results/analysis"):
            shutil.rmtree(self.directory / computed)
        (self.directory / "results/study.parquet").unlink()
        self.faults.mkdir()
        self.runs = []
        self.command = ["timeout", "-k", "10", "900", "snakemake", SELECTION, *SLURM, *TINY]

    def disturb(self, shard, what):
        """Let the starts of a shard's job do something, in Python."""
        (self.faults / shard).write_text(what)

    def starts(self, shard):
        """The SLURM job and the node of each start at a shard."""
        file = self.faults / f"{shard}.starts"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def start(self, *arguments):
        """The process of a run, which leads a process group of its own."""
        with self.log.open("a") as log:
            run = subprocess.Popen(
                [*self.command, *arguments],
                cwd=self.directory,
                env=environment() | {"FAULTS": str(self.faults), "PYTHONPATH": str(HERE / "faults")},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.runs.append(run)
        return run

    def finish(self, run):
        """Wait for the end of a run that must succeed."""
        assert run.wait() == 0, self.log.read_text()

    def first_job(self, shard):
        """The SLURM job and the node of the first start at a shard, once there is one."""
        return until(lambda: self.starts(shard))[0]

    def shards(self):
        """The shards there are."""
        return sorted(
            file.stem for file in self.directory.glob("results/scores/nasbench201/cifar10/nwot/**/[0-9]*.parquet")
        )


@pytest.fixture
def study(cluster, undisturbed, tmp_path):
    study = Study(tmp_path, undisturbed)
    yield study
    for run in study.runs:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    subprocess.run(["scancel", "--user", str(os.getuid())], check=True)


def test_smoke_study(cluster, smoke, tmp_path):
    directory = copy_checkout(tmp_path / "study")
    output = snakemake(directory, *SLURM, *SMOKE, seconds=1500)
    same(directory, smoke, SCORES, *ANALYSES)
    same(directory, smoke, "results/scores/nasbench201/structural.parquet", "results/study.parquet")
    assert counted(output) == counted(snakemake(directory, "-n", "--forceall", *SMOKE))
    assert snakemake(directory, "-n", *SLURM, *SMOKE).count("Nothing to be done")

    shown = subprocess.run(["scontrol", "-o", "show", "job"], capture_output=True, text=True, check=True).stdout
    jobs = [dict(fact.partition("=")[::2] for fact in line.split()) for line in shown.splitlines()]
    jobs = [job for job in jobs if job["WorkDir"] == str(directory)]
    submitted = {rule: count for rule, count in counted(output).items() if rule not in LOCAL}
    rules = [max((rule for rule in submitted if named(job, rule)), key=len) for job in jobs]
    assert Counter(rules) == submitted
    for rule, job in zip(rules, jobs, strict=True):
        assert placement(job) == (("gpu", "gn", "gres:gpu:1") if rule == "score" else ("cpu", "cn", None))

    def accounted():
        """State of each job and what it got, by the accounting."""
        command = ["sacct", "-XnP", "--name", jobs[0]["JobName"], "--format=State,AllocTRES"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    until(lambda: [line.partition("|")[0] for line in accounted()] == ["COMPLETED"] * len(jobs))
    assert sum("gres/gpu=1" in line for line in accounted()) == submitted["score"]


def test_sample_of_a_truth(cluster, undisturbed, tmp_path):
    """One that has all architectures, so that scores come after it and are the same."""
    directory = copy_checkout(tmp_path / "study")
    sample = "spaces={nasbench201: {sampled_from: analog_nasbench}}"
    output = snakemake(directory, SELECTION, *SLURM, *TINY, "--config", sample, seconds=900)
    assert counted(output)["sampled_from"] == 1
    same(directory, undisturbed, SELECTION)


@needs_sshd
def test_boards_are_measured_from_where_snakemake_runs(cluster, undisturbed, use, tmp_path):
    """Not by jobs on the cluster, whose nodes may reach no board and would wait for one another."""
    shutil.copytree(undisturbed, directory := tmp_path / "study", symlinks=True)
    target = f"results/latency/nasbench201/cifar10/{NAME}.parquet"
    board = "--config", f"devices=[{NAME}]", f"remote_python={{board: {sys.executable}}}"
    output = snakemake(directory, target, *SLURM, *TINY, *board)
    assert counted(output) == {"measure_remote": len(SHARDS), "latency": 1}
    assert str(directory) not in [place for (place,) in squeue(["%Z"])]
    assert (pd.read_parquet(directory / target).latency_ms > 0).all()


def named(job, rule):
    """Whether a job is of a rule, or of one whose name it begins with."""
    return f"{job['Comment']}_".startswith(f"rule_{rule}_")


def placement(job):
    """Partition, kind of node, and what a job got of GPUs."""
    return job["Partition"], job["NodeList"][:2], job.get("TresPerJob")


def test_jobs_that_are_cancelled_fail_or_take_too_long(study, undisturbed):
    study.disturb("0000", SLEEP)
    study.disturb("0001", SLEEP)
    study.disturb("0002", EXIT)
    score = {"slurm_partition": "gpu", "gpu": "1", "mem_mb": "4000 * attempt", "runtime": "2 * attempt - 1"}
    run = study.start("--set-resources", *(f"score:{name}={value}" for name, value in score.items()))
    scancel(study.first_job("0000")[0])
    study.finish(run)
    same(study.directory, undisturbed, SCORES, SELECTION)
    assert [len(study.starts(shard)) for shard in SHARDS] == [2, 2, 2, 1]
    jobs = {job: facts for job, *facts in squeue(["%i", "%T", "%l", "%m"])}
    asked = [[jobs[job] for job, _ in study.starts(shard)] for shard in SHARDS]
    assert [[state for state, *_ in attempts] for attempts in asked] == [
        ["CANCELLED", "COMPLETED"],
        ["TIMEOUT", "COMPLETED"],
        ["FAILED", "COMPLETED"],
        ["COMPLETED"],
    ]
    for attempts in asked:
        assert [limit for _, limit, _ in attempts] == ["1:00", "3:00"][: len(attempts)]
        assert len({memory for *_, memory in attempts}) == len(attempts)


def test_job_over_its_memory(study, undisturbed):
    """It is killed, and its retry gets what it needs. GPUs are asked for in the other style."""
    profile = study.directory / "profiles/slurm/config.v9+.yaml"
    text = ask_by_gres(profile.read_text())
    profile.write_text(text.replace("mem_mb: 16000 * attempt", "mem_mb: 3000 * attempt"))
    study.disturb("0001", HOARD)
    study.finish(study.start())
    same(study.directory, undisturbed, SCORES, SELECTION)
    assert [len(study.starts(shard)) for shard in SHARDS] == [1, 2, 1, 1]
    jobs = {job: facts for job, *facts in squeue(["%i", "%T", "%m", "%b"])}
    (killed, memory, _), (done, more, gpu) = (jobs[job] for job, _ in study.starts("0001"))
    assert (killed, memory) == ("FAILED", "3000M") and (done, more) == ("COMPLETED", "6000M")
    (log,) = study.directory.glob(f"logs/slurm/**/{study.first_job('0001')[0]}.log")
    assert "exceeded memory limit" in log.read_text()
    assert gpu == "gres:gpu:1"


def test_node_that_dies(study, undisturbed, cluster):
    for shard in SHARDS:
        study.disturb(shard, SLEEP)
    run = study.start()
    jobs = [study.first_job(shard) for shard in SHARDS]
    lost = jobs[0][1]
    kill_node(lost)
    scancel(*(job for job, node in jobs if node != lost))
    try:
        study.finish(run)
    finally:
        cluster("node", lost)
    same(study.directory, undisturbed, SCORES, SELECTION)
    assert [len(study.starts(shard)) for shard in SHARDS] == [2, 2, 2, 2]


def test_run_that_is_killed(study, undisturbed):
    for shard in ("0002", "0003"):
        study.disturb(shard, SLEEP)
    run = study.start()
    orphans = [study.first_job(shard)[0] for shard in ("0002", "0003")]
    until(lambda: study.shards() == ["0000", "0001"] and len(running()) == 2)

    here = {"cwd": study.directory, "env": environment()}
    second = subprocess.run(study.command, **here, capture_output=True, text=True)
    assert second.returncode and "LockException" in second.stdout + second.stderr
    recover = ["timeout", "-k", "10", "60", "slurm/recover", *TINY]
    alive = subprocess.run(recover, **here, capture_output=True, text=True)
    assert alive.returncode == 1 and f"kill -INT -{run.pid} ends it" in alive.stderr
    assert run.poll() is None and study.shards() == ["0000", "0001"] and running() == set(orphans)

    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert running() == set(orphans)
    subprocess.run(recover, **here, check=True)
    assert not running()
    study.finish(study.start())
    same(study.directory, undisturbed, SCORES, SELECTION)
    assert [len(study.starts(shard)) for shard in SHARDS] == [1, 1, 2, 2]


def test_shard_truncated(study, undisturbed):
    """It is refused by name; without it, only it is computed again."""
    shards = Path(SCORES).parent / "nwot"
    shutil.copytree(undisturbed / shards, study.directory / shards)
    (shard,) = study.directory.glob(f"{shards}/**/0001.parquet")
    shard.write_bytes(shard.read_bytes()[:-100])
    assert study.start("--retries", "0").wait()
    assert f"error: {shard.relative_to(study.directory)} is damaged" in study.log.read_text()
    shard.unlink()
    study.finish(study.start())
    same(study.directory, undisturbed, SCORES, SELECTION)
    assert [len(study.starts(shard)) for shard in SHARDS] == [0, 1, 0, 0]


def scancel(*jobs):
    subprocess.run(["scancel", *jobs], check=True)


def running():
    return {job for job, state in squeue(["%i", "%T"]) if state in ("PENDING", "RUNNING", "COMPLETING")}


def kill_node(node):
    """End a node's daemon and all processes of its jobs at once, as a power cut would."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_text().replace("\0", " ")
            job = f"SLURMD_NODENAME={node}" in (process / "environ").read_text().split("\0")
            if job or command.startswith(f"slurmd -N {node}"):
                os.kill(int(process.name), signal.SIGKILL)
