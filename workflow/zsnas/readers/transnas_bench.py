"""TransNAS-Bench-101's own file (Duan et al., CVPR 2021), `transnas-bench_v10141024.pth`: a dictionary, by torch.save.

Under `data` it has {space: {architecture: {task: {'metrics': {metric: numbers by epoch}, ...}}}}, with the spaces
`macro` and `micro`. A column is the way to a metric, `micro/class_scene/valid_top1`; the value is that of the last
epoch, as the benchmark publishes it: accuracies in percent, negated losses, structural similarities.
"""

import functools
from pathlib import Path

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import _pickles


@functools.lru_cache(maxsize=1)  # all tasks of a study are in one file
def _contents(path, modified):
    return _pickles.load_torch(path, _pickles.NUMPY_AND_DICTS)


def read(path, column):
    path = Path(path)
    contents = _contents(path, path.stat().st_mtime_ns)
    try:
        space, task, metric = column.split("/")
        runs = {arch: tasks[task]["metrics"][metric] for arch, tasks in contents["data"][space].items()}
        return pd.DataFrame({"arch": list(runs), "value": [float(epochs[-1]) for epochs in runs.values()]})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"{path} does not give {column!r} for every architecture ({error!r}): "
            "name space/task/metric, such as micro/class_scene/valid_top1, or fetch the file again"
        ) from error


def check(path, column):
    read(path, column)
