"""TransNAS-Bench-101 (Duan et al., CVPR 2021), cell level: 4 096 cells on seven tasks of scenes indoors.

A cell is as in NAS-Bench-201, with four operations: none, skip, 1x1 and 3x3 convolution. A network has a stem that
quarters the resolution and ten cells of 128 to 512 channels; the first, fifth and ninth halve the resolution and double
the channels, by strides on the edges out of the input, where a skip is a ReLU and two strided 1x1 convolutions side by
side with BatchNorm. Then comes the task's head. Heads and losses are those of `_transnas`.

A cell's canonical network is what is computed, as in NAS-Bench-201, but in ordinary and in strided cells at once: a
skip out of the input is contracted in the former and a weighted operation in the latter. The simplest cell stands for
all that agree in both.
"""

import itertools

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from zsnas.spaces import _transnas, nasbench201
from zsnas.spaces._transnas import STEM_CHANNELS, TASKS
from zsnas.spaces.nasbench201 import EDGES, ReLUConvBN

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")  # named as in NAS-Bench-201
PREFIX = "64-41414-"
# Channels and stride of each cell.
CELLS = ((128, 2), (128, 1), (128, 1), (128, 1), (256, 2), (256, 1), (256, 1), (256, 1), (512, 2), (512, 1))
FEATURES = CELLS[-1][0]

ARCHITECTURES = 4_096
CANONICAL = 1_376
COLUMNS = ("cell", "conv3x3", "conv1x1", "pool", "skip", "depth", "paths")


def architectures():
    """All cells, by name. `params` and `macs` are of the network for `class_scene`, dead operations included.

    Beside the columns every space has: the operations of the published cell (`cell`, one digit per edge, a position in
    OPERATIONS), how many there are of each kind (`conv3x3`, `conv1x1`, `skip`; `pool`, of which there are none), and of
    the canonical cell `depth` and `paths`, as in `nasbench201`.
    """
    table = pd.DataFrame([describe(operations) for operations in itertools.product(OPERATIONS, repeat=len(EDGES))])
    simplest = table.sort_values(["operations", "arch"]).groupby("computation").arch.first()
    params, macs = sizes(np.array([[*map(int, cell)] for cell in table.cell]))
    return pd.DataFrame(
        {
            "arch": table.arch,
            "canonical": table.computation.map(simplest),
            "iso_class": range(len(table)),
            "reachable": table.operations == table.live,
            "connected": table.live > 0,
            "params": params,
            "macs": macs,
            **table[["cell", "conv3x3", "conv1x1", "pool", "skip", "depth", "paths"]],
        }
    )


def describe(operations):
    """What there is to know of one cell, given its six operations in the order of EDGES."""
    live = nasbench201.live_edges(operations)
    strided = [(s, t, "reduce" if s == 0 and operation == "skip_connect" else operation) for s, t, operation in live]
    depth, paths = nasbench201.depth_and_paths(live)
    return {
        "arch": cell_name(operations),
        "cell": "".join(str(OPERATIONS.index(operation)) for operation in operations),
        "computation": f"{nasbench201.computation(live)} {nasbench201.computation(strided)}",
        "operations": sum(operation != "none" for operation in operations),
        "live": len(live),
        "conv3x3": operations.count("nor_conv_3x3"),
        "conv1x1": operations.count("nor_conv_1x1"),
        "pool": 0,
        "skip": operations.count("skip_connect"),
        "depth": depth,
        "paths": paths,
    }


def cell_name(operations):
    """The benchmark's string of a cell: `64-41414-a_bc_def`, the edges into nodes 1, 2 and 3."""
    digits = "".join(str(OPERATIONS.index(operation)) for operation in operations)
    return f"{PREFIX}{digits[:1]}_{digits[1:3]}_{digits[3:]}"


def parse(arch):
    """The six operations of a cell's string. Raises ValueError if it is not the name of a cell."""
    digits = arch.removeprefix(PREFIX).replace("_", "")
    operations = tuple(OPERATIONS[int(digit)] for digit in digits if digit in "0123")
    if len(operations) != len(EDGES) or cell_name(operations) != arch:
        raise ValueError(f"'{arch}' is not the name of a TransNAS-Bench-101 cell")
    return operations


def sizes(cells):
    """Parameters and multiply-accumulates (convolutions and classifier) of cells [cells, edges], for `class_scene`."""
    classes, resolution = TASKS["class_scene"].values()
    params, macs, positions = _transnas.stem_sizes(resolution)
    window = np.array([0, 0, 1, 9])[cells]
    from_input = np.array([source == 0 for source, _ in EDGES])
    before = STEM_CHANNELS
    for channels, stride in CELLS:
        positions //= stride**2
        kernels = np.where((cells == 1) & from_input & (stride == 2), 1, window)
        weights = (kernels * np.where(from_input, before, channels) * channels).sum(1)
        params = params + weights + 2 * channels * (kernels > 0).sum(1)
        macs = macs + weights * positions
        before = channels
    return params + (FEATURES + 1) * classes, macs + FEATURES * classes


def cells(table):
    """The cells without stride of an index's architectures as graphs; see `zsnas.cells`."""
    return nasbench201.graphs(table, (("none",), ("skip",), ("conv", 1), ("conv", 3)))


genes = nasbench201.genes  # both write a cell as digits, positions in OPERATIONS


def build(arch, task):
    """The network of a cell for one of TASKS: operations that do not reach the output are not built.

    Raises ValueError for a disconnected cell.
    """
    edges = nasbench201.connecting_edges(arch, parse(arch))
    before = [STEM_CHANNELS, *(channels for channels, _ in CELLS)]
    cells = (Cell(edges, into, *shape) for into, shape in zip(before, CELLS))
    return _transnas.network(cells, FEATURES, sum(stride == 2 for _, stride in CELLS), task, TASKS[task])


class Cell(nn.Module):
    """A cell of given edges (source, target, operation), each on a path to the output."""

    def __init__(self, edges, channels_in, channels, stride):
        super().__init__()
        self.edges = edges
        self.operations = nn.ModuleList(
            operation_module(operation, *((channels, 1) if source else (channels_in, stride)), channels)
            for source, _, operation in edges
        )

    def forward(self, x):
        return nasbench201.output_node(x, self.edges, self.operations)


def operation_module(operation, channels_in, stride, channels):
    if operation == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels_in, channels)
    return ReLUConvBN(channels_in, channels, 3 if operation == "nor_conv_3x3" else 1, stride)


class FactorizedReduce(nn.Module):
    """A skip that halves the resolution: half the channels from even, half from odd positions."""

    def __init__(self, channels_in, channels):
        super().__init__()
        self.relu = nn.ReLU()
        self.even, self.odd = (nn.Conv2d(channels_in, channels // 2, 1, stride=2, bias=False) for _ in range(2))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        x = self.relu(x)
        return self.norm(torch.cat([self.even(x), self.odd(F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:])], 1))
