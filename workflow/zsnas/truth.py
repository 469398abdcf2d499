"""Ground truth of one space and task, from whatever file holds it to the study's own table.

    python -m zsnas.truth --space nasbench201 --task cifar10 --truth nats_test --sources config/sources.csv \\
        --data-dir data --architectures results/spaces/nasbench201/architectures.parquet \\
        --output results/truth/nasbench201/cifar10/nats_test.parquet
"""

import argparse

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from zsnas import errors, sources
from zsnas.errors import StudyError
from zsnas.files import write_parquet


def truth_table(source, path, architectures):
    """The truth of `source`, read from `path`, in the order of `architectures` (names of all the space's members).

    Columns: arch, the metric (an accuracy in percent), split, epochs, train_seeds, source. StudyError where the file
    does not fit the space: a stranger, an architecture named twice, too few of them, or accuracies not in percent.
    """
    frame = sources.read(source, path, architectures)
    expected = source.architectures or len(architectures)
    if len(frame) < expected:
        raise StudyError(
            f"{path} is incomplete: a number for {len(frame)} of {expected} architectures of {source.space} for "
            f"{source.task}/{source.truth}; put the whole file{source.whence} in its place, or write how many it "
            "has, as 'architectures', into sources.csv"
        )
    infinite = frame.index[~np.isfinite(frame["value"])]
    if len(infinite):
        raise StudyError(
            f"{path}: {source.column!r} of {infinite[0]!r} is infinite: correct it, or leave the cell empty"
        )
    if source.metric == "accuracy" and not (frame["value"].between(0, 100).all() and frame["value"].max() > 1):
        low, high = frame["value"].min(), frame["value"].max()
        raise StudyError(
            f"{path}: {source.column!r} runs from {low:g} to {high:g}, accuracies must be in percent; of fractions "
            f"write '100 * {source.column}' into sources.csv"
        )
    frame = frame.reindex([arch for arch in architectures if arch in frame.index])
    seeds = frame.get("train_seeds", source.train_seeds)
    return pd.DataFrame(
        {
            "arch": frame.index,
            source.metric: frame["value"].array,
            "split": pd.array([source.split] * len(frame), dtype="str"),
            "epochs": pd.array([source.epochs] * len(frame), dtype="Int64"),
            "train_seeds": pd.Series(seeds, index=frame.index, dtype="Int64").array,
            "source": path.name,
        }
    )


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.truth", description="Write one truth as a table.")
    for option in ("space", "task", "truth", "sources", "data-dir", "architectures", "output"):
        parser.add_argument(f"--{option}", required=True)
    arguments = parser.parse_args()
    source, path = sources.locate(
        arguments.space, arguments.task, arguments.truth, arguments.sources, arguments.data_dir
    )
    sources.verify(source, path)
    architectures = pq.read_table(arguments.architectures, columns=["arch"])["arch"].to_pylist()
    write_parquet(
        truth_table(source, path, architectures),
        arguments.output,
        **sources.origin(source, path),
        larger_is_better=source.larger_is_better,
    )


if __name__ == "__main__":
    errors.run(main)
