"""Keep the architectures of networks that a truth has: `python -m zsnas.sampled_from ARCHITECTURES TRUTH OUTPUT`.

A network counts where the truth has any of its architectures. The file carries no provenance, as that of the index.
"""

import argparse

import pandas as pd

from zsnas import errors
from zsnas.files import write_parquet


def sampled_from(architectures, truth):
    """The rows of a space's index whose canonical network has an architecture in the table `truth`."""
    known = architectures.canonical[architectures.arch.isin(truth.arch)]
    return architectures[architectures.canonical.isin(known)]


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.sampled_from", description="Keep what a truth has.")
    parser.add_argument("architectures", help="the space's architectures.parquet")
    parser.add_argument("truth")
    parser.add_argument("output")
    arguments = parser.parse_args()
    kept = sampled_from(pd.read_parquet(arguments.architectures), pd.read_parquet(arguments.truth))
    write_parquet(kept, arguments.output)


if __name__ == "__main__":
    errors.run(main)
