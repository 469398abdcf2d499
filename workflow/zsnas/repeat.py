"""Put two measuring sessions of the same networks side by side: `python -m zsnas.repeat`. One row per network.

Columns: space, task, device, `canonical`, and `latency_ms` (corrected for drift) and `latency_raw_ms` of the first
session and, with `again_` before them, of the second.
"""

import argparse

import pandas as pd

from zsnas import errors
from zsnas.files import read_provenance, write_parquet
from zsnas.gather import check_processors

MEASURED = ["latency_ms", "latency_raw_ms"]


def repeated(first, second):
    """Networks that both frames have a latency of, with the columns above from `canonical` on."""
    columns = ["canonical", *MEASURED]
    both = first[columns].merge(second[columns].rename(columns={name: f"again_{name}" for name in MEASURED}))
    return both.dropna()


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.repeat", description="Put two sessions side by side.")
    for option in ("space", "task", "device", "first", "output"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--second", nargs="+", required=True, help="shards of the second session")
    arguments = parser.parse_args()
    sessions = [read_provenance(path) for path in arguments.second]
    check_processors([*read_provenance(arguments.first)["shards"], *sessions])
    frame = repeated(pd.read_parquet(arguments.first), pd.concat(map(pd.read_parquet, arguments.second)))
    cell = {name: getattr(arguments, name) for name in ("space", "task", "device")}
    write_parquet(frame.assign(**cell), arguments.output)


if __name__ == "__main__":
    errors.run(main)
