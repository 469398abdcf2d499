"""Auto-Prox's trained vision transformers as a table of both spaces: `space`, `arch_json` and numbers.

The wanted number is named `space/column`, such as `pit/cifar100_kd_acc`. A cell without a number is left out.
"""

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import table

NAMES = ["space", "arch_json"]


def names(path, space):
    """The JSON of each transformer of a space."""
    frame = table.columns(path, NAMES)
    return frame.arch_json[frame.space == space].tolist()


def read(path, column):
    space, column = _parts(path, column)
    frame = table.columns(path, [*NAMES, column])
    values = pd.DataFrame({"arch": frame.arch_json, "value": table.numbers(path, frame[column])})
    return values[frame.space == space].dropna(subset="value").reset_index(drop=True)


def check(path, column):
    table.check_columns(path, [*NAMES, _parts(path, column)[1]])


def _parts(path, column):
    space, slash, name = column.partition("/")
    if not slash:
        raise StudyError(f"column {column!r} wanted from {path}: write it as space/column")
    return space, name
