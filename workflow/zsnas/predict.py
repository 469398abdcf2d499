"""Predict the latencies that were not measured: `python -m zsnas.predict`. One row per canonical network."""

import argparse

import pandas as pd

from zsnas import devices, errors, registry
from zsnas.devices.predicted import predict
from zsnas.files import read_provenance, write_parquet


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.predict", description="Predict a device's latencies.")
    for option in ("space", "task", "device", "architectures", "measured", "output", "held-out"):
        parser.add_argument(f"--{option}", required=True)
    arguments = parser.parse_args()
    model, _ = devices.prediction(arguments.device)
    architectures = pd.read_parquet(arguments.architectures)
    networks = architectures[(architectures.arch == architectures.canonical) & architectures.connected]
    counts = networks.set_index("canonical")[list(registry.spaces()[arguments.space].counts)]
    rows, held_out = predict(model, counts, pd.read_parquet(arguments.measured))
    notes = {"device": arguments.device, "measured": read_provenance(arguments.measured)}
    cell = {"space": arguments.space, "task": arguments.task, "device": arguments.device}
    write_parquet(held_out.assign(**cell), arguments.held_out, **notes)
    write_parquet(rows, arguments.output, **notes)


if __name__ == "__main__":
    errors.run(main)
