"""NATS-Bench's size space (Dong et al., TPAMI 2021): 32 768 choices of channels for one fixed cell.

A network has five layers: a cell, a residual reduction block, a cell, a reduction, a cell. Each has 8, 16, ... or 64
channels, which its name lists, `8:16:64:8:32`; the stem has those of the first layer. The cell is the same everywhere:
3x3 convolutions on all edges but 0 -> 3, which is a skip connection, or a 1x1 convolution with BatchNorm where the
number of channels changes.

Networks of different channels are different networks, so every architecture is canonical, and as there is one cell,
what reads its topology alone gives one value for all.
"""

import itertools

import numpy as np
from torch import nn

from zsnas.cells import Cells, Operation
from zsnas.spaces._index import of_distinct
from zsnas.spaces.nasbench201 import EDGES, TASKS, Reduction, ReLUConvBN, Skeleton, output_node

CHANNELS = range(8, 65, 8)
LAYERS = 5

ARCHITECTURES = 32_768
CANONICAL = 32_768
COLUMNS = ("conv3x3", "conv1x1", "pool", "skip", "depth", "paths")


def architectures():
    """All choices of channels, in the benchmark's order. `params` and `macs` are its own, of the CIFAR-10 network.

    Beside the columns every space has: how many operations of each kind the cell has (`conv3x3`, `conv1x1`, `pool`,
    `skip`), its `depth` and `paths`, as in `nasbench201`: the same for all.
    """
    channels = np.array(list(itertools.product(CHANNELS, repeat=LAYERS)))
    names = [":".join(map(str, choice)) for choice in channels]
    params, macs = sizes(channels.T, **TASKS["cifar10"])
    return of_distinct(names, params, macs, conv3x3=5, conv1x1=0, pool=0, skip=1, depth=3, paths=4)


def sizes(channels, classes, resolution):
    """Parameters and multiply-accumulates as the benchmark counts them: convolutions, and the classifier with its bias.

    channels: of each layer, numbers or arrays of one shape.
    """
    before, positions = channels[0], resolution**2
    weights = 27 * before
    params, macs = weights + 2 * before, weights * positions
    for layer, width in enumerate(channels):
        if layer % 2:
            positions //= 4
            weights, normalised = 9 * before * width + 9 * width**2 + before * width, 2 * width
        else:
            projected = before != width
            weights = 18 * before * width + 27 * width**2 + projected * before * width
            normalised = (5 + projected) * width
        params, macs = params + weights + 2 * normalised, macs + weights * positions
        before = width
    classifier = (before + 1) * classes
    return params + 2 * before + classifier, macs + classifier


def cells(table):
    """The one cell, once for each architecture; see `zsnas.cells`."""
    carried = [0 if edge == (0, 3) else 1 for edge in EDGES]
    chosen = np.tile(np.array(carried, np.uint8), (len(table), 1))
    return [Cells(EDGES, (Operation("skip"), Operation("conv", 3)), chosen)]


def parse(arch):
    """Channels of the five layers. Raises ValueError for what is not the name of a network."""
    channels = tuple(int(part) for part in arch.split(":") if part.isdecimal())
    if ":".join(map(str, channels)) != arch or len(channels) != LAYERS or not set(channels) <= set(CHANNELS):
        raise ValueError(f"'{arch}' is not the name of a network of NATS-Bench's size space")
    return channels


def genes(table):
    """The channels of an index's architectures, as places in CHANNELS (n, layers)."""
    return np.array([[CHANNELS.index(width) for width in parse(arch)] for arch in table.arch])


def build(arch, task):
    """The network of an architecture for one of TASKS, with torch's default initialisation."""
    return Network(parse(arch), TASKS[task]["classes"])


class Network(Skeleton):
    """The benchmark's `DynamicShapeTinyNet`."""

    def __init__(self, channels, classes):
        super().__init__()
        first, last = channels[0], channels[-1]
        self.stem = nn.Sequential(nn.Conv2d(3, first, 3, padding=1, bias=False), nn.BatchNorm2d(first))
        self.cells = nn.Sequential(
            *(
                (Reduction if layer % 2 else Cell)(before, width)
                for layer, (before, width) in enumerate(zip((first, *channels), channels))
            )
        )
        self.last = nn.Sequential(nn.BatchNorm2d(last), nn.ReLU())
        self.classifier = nn.Linear(last, classes)


class Cell(nn.Module):
    """The fixed cell, operations in the order of EDGES."""

    def __init__(self, channels_in, channels):
        super().__init__()
        self.operations = nn.ModuleList(
            shortcut(channels_in, channels)
            if edge == (0, 3)
            else ReLUConvBN(channels if edge[0] else channels_in, channels, 3)
            for edge in EDGES
        )

    def forward(self, x):
        return output_node(x, EDGES, self.operations)


def shortcut(channels_in, channels):
    if channels_in == channels:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(channels_in, channels, 1, bias=False), nn.BatchNorm2d(channels))
