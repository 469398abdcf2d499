"""Python imports this at its start where this folder is in PYTHONPATH, and so the jobs of disturbed studies do.

A job that scores a shard notes its SLURM job and node in $FAULTS/SHARD.starts and does what $FAULTS/SHARD says, which
may ask whether it is the `first` to start.
"""

import os
import sys
from pathlib import Path

if "zsnas.score" in sys.orig_argv and "FAULTS" in os.environ:
    fault = Path(os.environ["FAULTS"], sys.orig_argv[sys.orig_argv.index("--shard") + 1])
    starts = fault.with_suffix(".starts")
    first = not starts.exists()
    with starts.open("a") as file:
        print(os.environ["SLURM_JOB_ID"], os.environ["SLURMD_NODENAME"], file=file)
    if fault.exists():
        exec(fault.read_text())
