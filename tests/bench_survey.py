"""How long the survey's DAG takes at full size, and how much memory: `python tests/bench_survey.py`."""

import resource
import tempfile
import time
from pathlib import Path

from runs import counted
from test_survey import dry_run


def main():
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        jobs = counted(dry_run(Path(directory)))
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    for rule, count in jobs.items():
        print(f"{count:6,}  {rule}")
    print(f"{sum(jobs.values()):6,}  in all: {seconds:.1f} s, of which computing {used.ru_utime + used.ru_stime:.1f} s")
    print(f"{used.ru_maxrss * 1.024e-3:6.0f}  MB at most")


if __name__ == "__main__":
    main()
