"""Put shards together and keep the first networks: `python -m zsnas.gather --first N --output OUT SHARD...`."""

import argparse

import pandas as pd

from zsnas import errors
from zsnas.files import read_provenance, write_parquet


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
    rows = first_networks([pd.read_parquet(shard) for shard in arguments.shards], arguments.first)
    write_parquet(rows, arguments.output, shards=distinct([read_provenance(shard) for shard in arguments.shards]))


def distinct(notes):
    """The notes without repetitions, in order."""
    return [note for place, note in enumerate(notes) if note not in notes[:place]]


if __name__ == "__main__":
    errors.run(main)
