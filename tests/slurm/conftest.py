"""These tests start a cluster, so they only run when asked for: pytest tests/slurm."""

import subprocess
from pathlib import Path

import pytest

CLUSTER = Path(__file__).with_name("cluster.sh")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A function that calls cluster.sh on the cluster that runs."""
    directory = tmp_path_factory.mktemp("cluster")

    def call(command, *arguments):
        done = subprocess.run([CLUSTER, command, directory, *arguments], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr

    call("start")
    yield call
    call("stop")
