"""What NDS's spaces of cells share (Radosavovic et al., ICCV 2019): how they are listed, sized and built.

NDS drew networks from the search spaces of five papers and trained each for 100 epochs on CIFAR-10. In most sweeps the
width and the depth were drawn too, in those called fix-w-d they are the same for all. An architecture is a record of
such a sweep, and `design` tells its network: channels of the first cell, number of cells, and the genotype.

Networks are those that the benchmark trained (pycls's port of DARTS): BatchNorms have a scale, and none follows a
pooling. The second classifier that a record may ask for serves training alone and is neither built nor counted.
"""

import json

import pandas as pd

from zsnas.readers import nds
from zsnas.spaces import _darts

COLUMNS = ("design", "conv3x3", "conv1x1", "pool", "skip")
TASKS = {"cifar10": {"classes": 10, "resolution": 32}}
LISTED = {("data.zip", "nds_data"): "https://dl.fbaipublicfiles.com/nds/data.zip"}


def architectures(path, *sweeps):
    """The records of the sweeps; `params` and `macs` are those of convolutions, BatchNorms and classifier."""
    designs = pd.concat([nds.designs(path, sweep) for sweep in sweeps])
    parts = [parse(design) for design in designs]
    return _darts.index(
        pd.Series(designs.index),
        [(channels, depth) for channels, depth, _ in parts],
        [genotype for *_, genotype in parts],
        [size(genotype, channels, depth) for channels, depth, genotype in parts],
        design=designs.values,
    )


def parse(design):
    """Channels, number of cells, and normal and reduction cell. Raises ValueError for any other text."""
    try:
        known = json.loads(design)
        cells = tuple(_darts.wiring(known[kind], known[f"{kind}_concat"]) for kind in ("normal", "reduce"))
        channels, depth = int(known["width"]), int(known["depth"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"'{design}' is no network of NDS's ({error})") from error
    return channels, depth, cells


def cells(table):
    """Normal and reduction cells as graphs; see `zsnas.cells`."""
    return _darts.cells_of([parse(design)[2] for design in table.design])


def build(design, task):
    """The network of a design for one of TASKS: dead operations are not built.

    Weights are torch's default initial ones. Raises ValueError for a cell that no input reaches.
    """
    channels, depth, genotype = parse(design)
    return _darts.network(genotype, channels, depth, TASKS[task]["classes"], searched=False)


def size(genotype, channels, depth):
    """Parameters and multiply-accumulates of a network, dead operations included."""
    classes, side = TASKS["cifar10"].values()
    stem = _darts.STEM * channels
    params, macs = (27 + 2) * stem, 27 * stem * side**2
    for before, last, width, reduces, _ in _darts.skeleton(genotype, channels, depth):
        params += (before + last + 4) * width
        macs += (before + last) * width * side**2
        side //= 1 + reduces
        for node in genotype[reduces].nodes:
            for operation, source in node:
                weights, products, normed = operation_size(operation, width, 1 + (reduces and source < 2))
                params += weights + 2 * normed
                macs += products * side**2
    features = len(genotype[reduces].concat) * width
    return params + (features + 1) * classes, macs + features * classes


def operation_size(name, channels, stride):
    """Weights of an operation, its products for each position of its output, and how many channels it normalises."""
    if name == "skip_connect" and stride > 1:
        return channels**2, channels**2, channels
    if "conv" not in name:
        return 0, 0, 0
    kernel = int(name[-1])
    if name in _darts.CROSSED:
        along = kernel * channels**2
        return 2 * along, (stride + 1) * along, channels
    if name.startswith("conv"):
        return kernel**2 * channels**2, kernel**2 * channels**2, channels
    times = 2 if "sep" in name else 1
    weights = channels * (kernel**2 + channels)
    return times * weights, times * weights, times * channels
