"""Pickles without their powers: only the classes a format needs are admitted, and stand-ins take their place.

A pickle may name any callable and have it called. Here every name goes through a table given by the reader, and any
other is refused before it is even looked up.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from zsnas.errors import StudyError


class _Dtype:
    """numpy.dtype as a pickle spells it; the real one accepts states that crash the interpreter."""

    def __init__(self, code, align, copy):
        self.code = code

    def __setstate__(self, state):
        self.code = state[1] + self.code


class _Array(list):
    """numpy.ndarray of numbers, one-dimensional, as a list."""

    def __setstate__(self, state):
        _, (length,), dtype, _, raw = state
        self[:] = np.frombuffer(_bytes(raw), dtype.code, length).tolist()


def _scalar(dtype, raw):
    return np.frombuffer(_bytes(raw), dtype.code)[0].item()


def _reconstruct(kind, shape, code):
    return kind()


def _bytes(text, encoding="latin1"):
    """Bytes that came as such, or as text: from Python 2, or by early protocols, of which torch.save takes the last."""
    return text if isinstance(text, bytes) else text.encode(encoding)


NUMPY = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _bytes,
    # numpy has moved its core.
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
}
NUMPY_AND_DICTS = {("collections", "OrderedDict"): OrderedDict, **NUMPY}


class _Unpickler(pickle.Unpickler):
    def __init__(self, data, admitted, where):
        super().__init__(io.BytesIO(data), encoding="latin1")  # numpy arrays pickled by Python 2 need it
        self.admitted = admitted
        self.where = where

    def find_class(self, module, name):
        if (module, name) not in self.admitted:
            raise StudyError(
                f"{self.where} asks for {module}.{name}, which its format has no use for: "
                "do not trust this file, fetch it again from its official address"
            )
        return self.admitted[module, name]


def load(data, admitted, where, before=0):
    """The object pickled in the bytes `data`, after as many others as `before` says.

    admitted: maps (module, name) to a stand-in; where: names the file.
    """
    try:
        unpickler = _Unpickler(data, admitted, where)
        for _ in range(before):
            unpickler.load()
        return unpickler.load()
    except StudyError:
        raise
    except Exception as error:  # damaged bytes can make an unpickler raise nearly anything
        raise StudyError(f"{where} is truncated or altered ({error}): fetch it again") from error


def load_torch(path, admitted):
    """The object in a file of torch.save that holds no tensor: a zip around a pickle, before torch 1.6 five pickles.

    Of these the first three are a magic number, the version and facts of the machine, the last names tensors.
    """
    if not zipfile.is_zipfile(path):
        return load(Path(path).read_bytes(), admitted, path, before=3)
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            data = archive.read(name)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise StudyError(f"{path} is no file of torch.save ({error}): fetch it again") from error
    return load(data, admitted, path)
