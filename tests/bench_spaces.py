"""Listing whole spaces and scoring them by structural proxies, time and memory: `python tests/bench_spaces.py`.

Spaces that files list take part where the folder `data_dir`, the only argument, has these files.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from zsnas import registry, sources
from zsnas.errors import StudyError


def measured(*words):
    """Seconds and most MB of a Python module run with these words."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", *map(str, words)])
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"python -m {' '.join(map(str, words))} failed")
    return time.perf_counter() - start, used.ru_maxrss * 1.024e-3


def main():
    data_dir = sys.argv[1] if len(sys.argv) > 1 else "data"
    structural = [proxy.name for proxy in registry.proxies().values() if proxy.structural]
    print(f"{'space':<15} {'architectures':>13} {'listed':>16} {'scored by':>11} {'in':>16}")
    for name, space in registry.spaces().items():
        try:
            listing = sources.lists(space, data_dir)
        except StudyError as error:
            print(f"{name:<15} left out: {error}")
            continue
        proxies = [proxy for proxy in structural if not registry.reason_against(proxy, name)]
        with tempfile.TemporaryDirectory() as folder:
            index, scores = Path(folder, "architectures.parquet"), Path(folder, "structural.parquet")
            listed = measured("zsnas.index", name, index, *listing)
            words = "--space", name, "--proxies", *proxies, "--architectures", index, "--output", scores
            scored = measured("zsnas.structural", *words)
        cells = ["{:5.1f} s, {:5.0f} MB".format(*spent) for spent in (listed, scored)]
        print(f"{name:<15} {space.architectures:>13,} {cells[0]:>16} {len(proxies):>11} {cells[1]:>16}", flush=True)


if __name__ == "__main__":
    main()
