"""Run the workflow in a copy of the checkout, and count what was run."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def copy_checkout(directory):
    """The checkout's files, as they are now and without results, in a new directory.

    What Numba has compiled of them comes along: it holds while sources keep their times, and takes ten seconds to make.
    """
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split("\0")
    compiled = [file.relative_to(CHECKOUT) for file in CHECKOUT.glob("workflow/**/__pycache__/*.nb[ci]")]
    for name in [*filter(None, names), *compiled]:
        if os.path.lexists(CHECKOUT / name):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, directory / name, follow_symlinks=False)
    return directory


def environment():
    """This environment with this Python's programs first in the path."""
    return os.environ | {"PATH": os.pathsep.join([str(BIN), os.environ["PATH"]])}


def snakemake(directory, *arguments, seconds=900, fails=False):
    """What Snakemake, run in a directory, wrote."""
    # A Snakemake that waits for jobs does not heed the first signal.
    command = ["timeout", "-k", "10", str(seconds), "snakemake", *map(str, arguments)]
    run = subprocess.run(command, cwd=directory, env=environment(), capture_output=True, text=True)
    output = run.stdout + run.stderr
    assert fails == bool(run.returncode), output
    return output


def counted(output):
    """Jobs per rule of a run or a dry run, from its statistics; `all` and other targets do not count."""
    rows = re.findall(r"^Job stats:\njob +count\n[- ]+\n((?:.+\n)+?)total", output, re.MULTILINE)
    jobs = Counter({rule: int(count) for rule, count in (row.split() for row in (rows or [""])[0].splitlines())})
    return {rule: count for rule, count in jobs.items() if rule not in ("all", "tables", "figures")}


def ask_by_gres(profile):
    """The text of the SLURM profile, with a GPU asked for in the other way that it offers."""
    line, other = "    gpu: 1 ", "    gres: gpu:1 "
    assert profile.count(line) == 1
    return profile.replace(line, other)
