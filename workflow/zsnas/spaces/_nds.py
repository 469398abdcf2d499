"""What NDS's spaces of cells share (Radosavovic et al., ICCV 2019): how they are listed, sized and built.

NDS drew networks from the search spaces of five papers and trained each for 100 epochs on CIFAR-10. In most sweeps the
width and the depth were drawn too, in those called fix-w-d they are the same for all. An architecture is a record of
such a sweep, and `design` tells its network: channels of the first cell, number of cells, and the genotype.

Networks are those that the benchmark trained (pycls's port of DARTS): BatchNorms have a scale, and none follows a
pooling. The second classifier that a record may ask for serves training alone and is neither built nor counted. What
reads only zeros gives its BatchNorm's shift, which is zero before training: it counts as dead here, though a trained
network may make something of it.
"""

import json

import pandas as pd

from zsnas.readers import nds
from zsnas.spaces import _darts

COLUMNS = ("design", "conv3x3", "conv1x1", "pool", "skip")
TASKS = {"cifar10": {"classes": 10, "resolution": 32}}
LISTED = {("data.zip", "nds_data"): "https://dl.fbaipublicfiles.com/nds/data.zip"}


def architectures(path, *sweeps):
    """The records of the sweeps; `macs` are those of convolutions and classifier.

    Raises ValueError for cells of different numbers of nodes.
    """
    designs = pd.concat([nds.designs(path, sweep) for sweep in sweeps])
    parts = [parse(design) for design in designs]
    if len(counts := {len(cell.nodes) for *_, cells in parts for cell in cells}) > 1:
        raise ValueError(f"cells have {' or '.join(map(str, sorted(counts)))} nodes")
    return _darts.index(
        pd.Series(designs.index),
        [(channels, depth) for channels, depth, _ in parts],
        [cells for *_, cells in parts],
        [size(cells, channels, depth) for channels, depth, cells in parts],
        design=designs.values,
    )


def parse(design):
    """Channels, an even number, how many cells, and normal and reduction cell. Raises ValueError for any other text."""
    try:
        known = json.loads(design)
        cells = tuple(_darts.wiring(known[kind], known[f"{kind}_concat"]) for kind in ("normal", "reduce"))
        channels, depth = known["width"], known["depth"]
        if not (isinstance(channels, int) and isinstance(depth, int) and channels > 0 == channels % 2 and depth > 0):
            raise ValueError(f"{channels} channels, {depth} cells")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"'{design}' is no network of NDS's ({error})") from error
    return channels, depth, cells


def cells(table):
    """Normal and reduction cells as graphs; see `zsnas.cells`."""
    return _darts.cells_of([parse(design)[2] for design in table.design], _darts.OPERATIONS)


def build(design, task):
    """The network of a design for one of TASKS: dead operations are not built.

    Weights are torch's default initial ones. Raises ValueError for a cell that no input reaches.
    """
    channels, depth, cells = parse(design)
    return _darts.network(design, cells, channels, depth, TASKS[task]["classes"], searched=False)


def size(cells, channels, depth):
    """Parameters and multiply-accumulates of a network, dead operations included."""
    classes, side = TASKS["cifar10"].values()
    stem = _darts.STEM * channels
    params, macs = (27 + 2) * stem, 27 * stem * side**2
    for before, last, inside, reduces, _ in _darts.skeleton(cells, channels, depth):
        params += (before + last + 4) * inside
        macs += (before + last) * inside * side**2
        side //= 1 + reduces
        for node in cells[reduces].nodes:
            for operation, source in node:
                stride = 1 + (reduces and source < 2)
                weights = _darts.weights(operation, inside, stride)
                # Of two crossed convolutions the first strides along one side only, so that its map is larger.
                products = weights * (stride + 1) // 2 if operation in _darts.CROSSED else weights
                normed = (2 if "sep" in operation else 1) * inside if weights else 0
                params += weights + 2 * normed
                macs += products * side**2
    features = len(cells[reduces].concat) * inside
    return params + (features + 1) * classes, macs + features * classes
