"""Put shards together and keep the first networks: `python -m zsnas.gather --first N --output OUT SHARD...`."""

import argparse

import pandas as pd
import pyarrow as pa

from zsnas import errors
from zsnas.files import read_provenance, write_parquet


def read_shard(path):
    """Rows of a shard and where they come from. Raises StudyError for a damaged file."""
    try:
        return pd.read_parquet(path), read_provenance(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise errors.StudyError(f"{path} is damaged ({error}): delete it and run again") from error


def first_networks(shards, count):
    """Rows of the first `count` canonical networks. shards: frames with a column `canonical`, in shard order."""
    rows = pd.concat(shards, ignore_index=True)
    return rows[rows.canonical.isin(rows.canonical.unique()[:count])]


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.gather", description="Put shards together.")
    parser.add_argument("shards", nargs="+", help="Parquet files in shard order; several bundles and seeds may follow")
    parser.add_argument("--first", type=int, required=True, help="how many canonical networks to keep")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    frames, notes = zip(*map(read_shard, arguments.shards))
    write_parquet(first_networks(frames, arguments.first), arguments.output, shards=distinct(notes))


def distinct(notes):
    """The notes without repetitions, in order."""
    return [note for place, note in enumerate(notes) if note not in notes[:place]]


if __name__ == "__main__":
    errors.run(main)
