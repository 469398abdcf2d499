"""Accel-NASBench's records as a table: `expansion`, `kernel`, `layers` and `se` hold seven numbers each, by block.

An architecture that was trained more than once has the mean of its numbers.
"""

import pandas as pd

from zsnas.readers import table

BLOCKS = {"e": "expansion", "k": "kernel", "l": "layers", "s": "se"}


def names(path):
    """Each record's architecture, as the space `mnasnet` names it."""
    return _names(table.columns(path, list(BLOCKS.values())))


def _names(frame):
    parts = [letter + frame[column].str.replace(",", "") for letter, column in BLOCKS.items()]
    return parts[0].str.cat(parts[1:], sep="-")


def read(path, column):
    frame = table.columns(path, [*BLOCKS.values(), column])
    values = pd.DataFrame({"arch": _names(frame), "value": table.numbers(path, frame[column])}).dropna(subset="value")
    return values.groupby("arch").value.agg(value="mean", train_seeds="count").reset_index()


def check(path, column):
    table.check_columns(path, [*BLOCKS.values(), column])
