"""Keep the architectures of networks that a truth has: `python -m zsnas.judged ARCHITECTURES TRUTH OUTPUT`.

A network counts where the truth has any of its architectures.
"""

import argparse

import pandas as pd

from zsnas import errors
from zsnas.files import write_parquet
from zsnas.provenance import environment


def judged(architectures, truth):
    """The rows of a space's index whose canonical network has an architecture in the table `truth`."""
    known = architectures.canonical[architectures.arch.isin(truth.arch)]
    return architectures[architectures.canonical.isin(known)]


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.judged", description="Keep the networks that a truth has.")
    parser.add_argument("architectures", help="the space's architectures.parquet")
    parser.add_argument("truth")
    parser.add_argument("output")
    arguments = parser.parse_args()
    kept = judged(pd.read_parquet(arguments.architectures), pd.read_parquet(arguments.truth))
    write_parquet(kept, arguments.output, **environment())


if __name__ == "__main__":
    errors.run(main)
