"""Write a space's index of architectures: `python -m zsnas.index SPACE OUTPUT`."""

import argparse

from zsnas import errors, registry
from zsnas.files import write_parquet
from zsnas.provenance import environment


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.index", description="Write a space's index.")
    parser.add_argument("space")
    parser.add_argument("output")
    arguments = parser.parse_args()
    write_parquet(registry.load_space(arguments.space).architectures(), arguments.output, **environment())


if __name__ == "__main__":
    errors.run(main)
