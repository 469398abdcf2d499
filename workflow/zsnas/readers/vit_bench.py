"""Auto-Prox's trained vision transformers (ViT-Bench-101): the folder `gt_results` as published, or a table of it.

Each file of the folder is a list of dictionaries, by torch.save: `arch`, the choices of a transformer, and accuracies
in percent, such as `c100_kd_acc`; one that was not measured is None or absent. A table has both spaces in the columns
`space`, `arch_json` and numbers. A transformer is named by the JSON of its choices, their names in alphabetical order.

The wanted number is named `space/column`, such as `pit/c100_kd_acc`, of a table `pit/cifar100_kd_acc`.
"""

import json
from pathlib import Path

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import _pickles, table

FILES = {"autoformer": ("gt_autoformer.pth", "gt_autoformer_2.pth"), "pit": ("gt_pit.pth",)}
FOLDER = "gt_results"
NAMES = ["space", "arch_json"]


def contents(columns):
    """The files of the folder that have these columns."""
    spaces = {_parts(FOLDER, column)[0] for column in columns}
    return [file for space, files in FILES.items() if space in spaces for file in files]


def names(path, space):
    """The JSON of each transformer of a space."""
    return _columns(path, space).arch_json.tolist()


def _columns(path, space, *wanted):
    """The JSON and wanted numbers of each transformer of a space."""
    if Path(path).is_dir():
        return _published(Path(path), space, *wanted)
    frame = table.columns(path, [*NAMES, *wanted])
    return frame[frame.space == space].drop(columns="space")


def _published(folder, space, *wanted):
    records = [record for file in FILES[space] for record in _records(folder / file)]
    for column in wanted:
        if not any(column in record for record in records):
            raise StudyError(f"{folder} has no {column!r} of {space}: name one that it has, such as c100_kd_acc")
    rows = [[json.dumps(record["arch"], sort_keys=True), *map(record.get, wanted)] for record in records]
    return pd.DataFrame(rows, columns=["arch_json", *wanted])


def _records(file):
    if not file.is_file():
        raise StudyError(f"{file} is not there: put all files of the published folder into {file.parent}")
    records = _pickles.load_torch(file, {})
    if not isinstance(records, list) or not all(isinstance(it, dict) and "arch" in it for it in records):
        raise StudyError(f"{file} is no list of dictionaries with 'arch': fetch it again")
    return records


def read(path, column):
    space, column = _parts(path, column)
    frame = _columns(path, space, column)
    values = pd.DataFrame({"arch": frame.arch_json, "value": table.numbers(path, frame[column])})
    return values.reset_index(drop=True)


def check(path, column):
    space, column = _parts(path, column)
    if Path(path).is_dir():
        _published(Path(path), space, column)
    else:
        table.check_columns(path, [*NAMES, column])


def _parts(path, column):
    space, _, name = column.partition("/")
    if space not in FILES or not name:
        raise StudyError(f"column {column!r} wanted from {path}: write it as space/column, such as pit/c100_kd_acc")
    return space, name
