"""NAS-Bench-101's own files (Ying et al., 2019), `nasbench_only108.tfrecord` and `nasbench_full.tfrecord`.

A TFRecord file is a sequence of records: the length of the data (8 bytes, little endian), a checksum of these bytes,
the data, a checksum of the data. Checksums are CRC-32C (Castagnoli), rotated right by 15 bits plus a constant. The data
of one is a JSON list for one training run: module hash, epochs, adjacency matrix, operations, and in base64 a protobuf
message of its metrics, whose first field repeats for the evaluations at initialisation, halfway and at the end.

A column is the way to a number: `108/test` is the test accuracy at the end of a run of 108 epochs; there are `train`,
`validation` and `test`. The value is the mean over runs, in percent; `train_seeds` says how many there are.
"""

import base64
import json
import struct

import numpy as np
import pandas as pd
from numba import njit

from zsnas.errors import StudyError

ACCURACIES = {"train": 3, "validation": 4, "test": 5}  # their fields in an evaluation
EVALUATIONS, FINAL = 1, 2
MASK = 0xA282EAD8


def crc32c_table():
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> 1 ^ 0x82F63B78, values >> 1).astype(np.uint32)
    return values


TABLE = crc32c_table()


@njit(nogil=True, cache=True)
def crc32c(data):
    """CRC-32C of an array of bytes."""
    crc = np.uint32(0xFFFFFFFF)
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(0xFFFFFFFF)


def checksum(data):
    """The masked checksum of TFRecord files."""
    crc = int(crc32c(np.frombuffer(data, np.uint8)))
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def records(path):
    """The data of each record. Raises StudyError for a file that ends within one, or a wrong checksum."""
    again = "it is truncated or altered, or no TFRecord file; fetch it again"
    with open(path, "rb") as file:
        place = 0
        while head := file.read(12):
            if len(head) < 12 or checksum(head[:8]) != struct.unpack("<I", head[8:])[0]:
                raise StudyError(f"{path}: no whole record at byte {place}: {again}")
            (length,) = struct.unpack("<Q", head[:8])
            body = file.read(length + 4)
            if len(body) < length + 4 or checksum(body[:-4]) != struct.unpack("<I", body[-4:])[0]:
                raise StudyError(f"{path}: no whole record at byte {place}: {again}")
            yield body[:-4]
            place += length + 16


def fields(message):
    """(number, value) of each field of a protobuf message: bytes, or the 8 or 4 bytes of a fixed number, or an int."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(message, at)
        else:
            length, at = varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = message[at : at + length], at + length
        yield number, value


def varint(message, at):
    """The number that starts at a byte, seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at


def final_accuracy(metrics, accuracy):
    """An accuracy of the last evaluation, as a fraction. metrics: a `ModelMetrics` message; accuracy: field number."""
    evaluation = [value for number, value in fields(metrics) if number == EVALUATIONS][FINAL]
    (value,) = struct.unpack("<d", dict(fields(evaluation))[accuracy])
    return value


def _parts(path, column):
    epochs, _, accuracy = column.partition("/")
    if not epochs.isdecimal() or accuracy not in ACCURACIES:
        raise StudyError(f"column {column!r} for {path} should read epochs/accuracy, such as 108/test or 36/validation")
    return int(epochs), ACCURACIES[accuracy]


def _runs(path, column):
    """(module hash, accuracy) of every run of as many epochs as the column says."""
    wanted, accuracy = _parts(path, column)
    for number, record in enumerate(records(path)):
        try:
            name, epochs, _, _, metrics = json.loads(record)
            if epochs == wanted:
                yield name, final_accuracy(base64.b64decode(metrics), accuracy)
        except (ValueError, TypeError, KeyError, IndexError, struct.error) as error:
            raise StudyError(
                f"{path}: record {number} is not a run of NAS-Bench-101 ({error}): fetch the file again"
            ) from error


def read(path, column):
    runs = pd.DataFrame(_runs(path, column), columns=["arch", "value"])
    if runs.empty:
        raise StudyError(f"{path} has no run for {column!r}: name epochs that it has, or fetch the full file")
    found = runs.groupby("arch", sort=False).value.agg(["mean", "count"])  # of what is not NaN
    return pd.DataFrame({"arch": found.index, "value": 100 * found["mean"].array, "train_seeds": found["count"].array})


def check(path, column):
    """Read up to the first run that the column asks for."""
    if next(_runs(path, column), None) is None:
        raise StudyError(f"{path} has no run for {column!r}: name epochs that it has, or fetch the full file")
