"""NASLib's DARTS cells, `zc_nasbench301.json`: a dictionary of data sets, each with what is known of its cells.

A cell is written as a pair of lists, normal and reduction cell, of eight pairs of a source and an operation's number. A
column is a data set and a number, such as `cifar10/val_accuracy`, what NAS-Bench-301's surrogate predicts, in percent.
"""

import ast
import json
from pathlib import Path

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import _genotypes, table

FILE = "zc_nasbench301.json"
OPERATIONS = dict(
    enumerate(
        ["max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"]
    )
)


def names(path):
    """The genotype of each cell of any data set."""
    return list(dict.fromkeys(_name(path, cell) for cells in _loaded(path).values() for cell in cells))


def _loaded(path):
    try:
        loaded = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} is not readable as JSON ({error}): fetch it again") from error
    data_sets = loaded.values() if isinstance(loaded, dict) else [None]
    if not all(isinstance(cells, dict) and all(isinstance(it, dict) for it in cells.values()) for cells in data_sets):
        raise StudyError(f"{path} holds no dictionaries of cells by data set: fetch it again")
    return loaded


def _name(path, cell):
    try:
        cells = ast.literal_eval(cell)
        return _genotypes.name(*([(OPERATIONS[kind], source) for source, kind in edges] for edges in cells))
    except (ValueError, SyntaxError, TypeError, KeyError) as error:
        raise StudyError(f"{path} has {cell!r}, which is no pair of cells: fetch it again") from error


def read(path, column):
    data_set, _, number = column.partition("/")
    cells = _loaded(path).get(data_set, {})
    if not any(number in known for known in cells.values()):
        raise StudyError(f"{path} has no {column!r}: name a data set and a number, such as cifar10/val_accuracy")
    values = pd.Series([known.get(number) for known in cells.values()], name=column)
    return pd.DataFrame({"arch": [_name(path, cell) for cell in cells], "value": table.numbers(path, values)})


def check(path, column):
    read(path, column)
