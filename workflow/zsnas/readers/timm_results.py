"""timm's results on ImageNet-1k, results-imagenet.csv: `model` (architecture.tag), `img_size` and `top1`.

A tag names a training recipe; accuracies of different recipes are not comparable. So the wanted number is named
`tag@size`, such as `tv_in1k@224`. Only the families of the space `imagenet_cnn` are read.
"""

import re

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import table

FAMILIES = re.compile(
    r"(wide_)?resnet\d+[cdst]?(_2)?|resnext\d+d?_\d+x\d+d|regnet[xy]_\d{3}(_tv)?|densenet\d+|mobilenetv2_\d+d?"
)
COLUMNS = ["model", "img_size", "top1"]


def read(path, column):
    tag, size = _parts(path, column)
    frame = table.columns(path, COLUMNS).dropna(subset="model")
    named = frame.model.str.extract(r"(?P<arch>[^.]*)\.?(?P<tag>.*)")
    wanted = (named.tag == tag) & (frame.img_size == size) & named.arch.str.fullmatch(FAMILIES.pattern)
    values = pd.DataFrame({"arch": named.arch, "value": table.numbers(path, frame.top1)})
    return values[wanted].reset_index(drop=True)


def check(path, column):
    _parts(path, column)
    table.check_columns(path, COLUMNS)


def _parts(path, column):
    match = re.fullmatch(r"(\w+)@(\d+)", column)
    if not match:
        raise StudyError(f"column {column!r} wanted from {path}: write it as tag@size")
    return match[1], int(match[2])
