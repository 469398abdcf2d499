"""NATS-Bench's own archive (Dong et al., 2021), `NATS-tss-v1_0-…-simple` or `NATS-sss-…`: unpacked, or the .tar itself.

One bz2-compressed pickle per architecture holds every training run: per schedule ('12', '200': its epochs), data set
and seed, the accuracies by split and epoch, counted from 0. A column is the way to one of them:
`200/cifar10/ori-test@199` is CIFAR-10's test set after the last of 200 epochs. The value is the mean over the seeds
that were trained, in percent; `train_seeds` says how many. Splits have the benchmark's names: `ori-test` is the
original test set, `x-valid` and `x-test` the benchmark's own; networks of the data set `cifar10-valid` were trained on
half of CIFAR-10's training images and have their `x-valid` in the other half.
"""

import bz2
import re
import tarfile
from pathlib import Path
from statistics import fmean

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import _pickles

ARCHITECTURE_FILE = re.compile(r"\d{6}\.pickle\.pbz2")


def _files(path):
    """(name, bytes) of every architecture's pickle, in the order of the folder's names or of the tar."""
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if ARCHITECTURE_FILE.fullmatch(file.name):
                yield str(file), file.read_bytes()
        return
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.isreg() and ARCHITECTURE_FILE.fullmatch(Path(member.name).name):
                    yield f"{path}:{member.name}", tar.extractfile(member).read()
    except (tarfile.TarError, OSError) as error:
        raise StudyError(f"{path} is not a whole tar archive ({error}): fetch it again") from error


def _row(name, compressed, schedule, dataset, accuracy):
    try:
        pickled = bz2.decompress(compressed)
    except (ValueError, OSError) as error:
        raise StudyError(f"{name} is truncated or altered ({error}): fetch the archive again") from error
    record = _pickles.load(pickled, _pickles.NUMPY_AND_DICTS, name)
    try:
        runs = [run for (data, _), run in record[schedule]["all_results"].items() if data == dataset]
        value = fmean(run["eval_acc1es"][accuracy] for run in runs)
        return {"arch": record[schedule]["arch_str"], "value": value, "train_seeds": len(runs)}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"{name} has no accuracy {schedule}/{dataset}/{accuracy}: "
            "correct the column in the list of sources, or fetch the archive again"
        ) from error


def _parts(path, column):
    parts = column.split("/")
    if len(parts) != 3:
        raise StudyError(
            f"column {column!r} for {path} should read schedule/dataset/split@epoch, such as 200/cifar10/ori-test@199"
        )
    return parts


def read(path, column):
    parts = _parts(path, column)
    rows = [_row(name, compressed, *parts) for name, compressed in _files(Path(path))]
    return pd.DataFrame(rows, columns=["arch", "value", "train_seeds"])


def check(path, column):
    """Read the first architecture."""
    parts = _parts(path, column)
    first = next(_files(Path(path)), None)
    if first is None:
        raise StudyError(f"{path} holds no architecture (000000.pickle.pbz2, …): unpack or fetch the archive again")
    _row(*first, *parts)
