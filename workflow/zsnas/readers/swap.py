"""SWAP's trained DARTS cells (Peng et al., 2024), as published: a CSV of genotypes and accuracies without a header.

The only column is `accuracy`, in percent.
"""

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import table

FILE = "DARTS_archs_CIFAR10.csv"
COLUMNS = ["genotype", "accuracy"]


def names(path):
    """The genotype of each cell."""
    return _rows(path).genotype


def _rows(path):
    try:
        rows = pd.read_csv(path, header=None, dtype={0: str})
    except table.UNREADABLE as error:
        raise StudyError(f"{path} is not a readable CSV ({error}): fetch it again") from error
    if rows.shape[1] != len(COLUMNS) or not rows[0].str.startswith("Genotype(").all():
        raise StudyError(f"{path} must have a genotype and an accuracy a line, without a header: fetch it again")
    return rows.set_axis(COLUMNS, axis=1)


def read(path, column):
    if column != "accuracy":
        raise StudyError(f"{path} has no column {column!r}: name accuracy in sources.csv")
    rows = _rows(path)
    return pd.DataFrame({"arch": rows.genotype, "value": table.numbers(path, rows[column])})


def check(path, column):
    read(path, column)
