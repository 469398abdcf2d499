"""Published latencies of a device, from whatever file holds them to the study's own table: `python -m zsnas.lookup`."""

import argparse

import pyarrow.parquet as pq

from zsnas import devices, errors, sources
from zsnas.devices import lookup
from zsnas.files import write_parquet


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.lookup", description="Write a looked-up device as a table.")
    for option in ("space", "task", "device", "sources", "data-dir", "architectures", "output"):
        parser.add_argument(f"--{option}", required=True)
    arguments = parser.parse_args()
    located = sources.locate_costs(
        arguments.space,
        arguments.task,
        devices.looked_up(arguments.device),
        arguments.sources,
        arguments.data_dir,
    )
    for source, path in located:
        sources.verify(source, path)
    architectures = pq.read_table(arguments.architectures, columns=["arch"])["arch"].to_pylist()
    write_parquet(
        lookup.latencies(located, architectures),
        arguments.output,
        device=arguments.device,
        sources=[sources.origin(source, path) for source, path in located],
    )


if __name__ == "__main__":
    errors.run(main)
