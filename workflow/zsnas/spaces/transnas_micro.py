"""TransNAS-Bench-101 (Duan et al., CVPR 2021), cell level: 4 096 cells on seven tasks of scenes indoors.

A cell is as in NAS-Bench-201, with four operations: none, skip, 1x1 and 3x3 convolution. A network has a stem that
quarters the resolution and ten cells of 128 to 512 channels; the first, fifth and ninth halve the resolution and double
the channels, by strides on the edges out of the input, where a skip is a ReLU and two strided 1x1 convolutions side by
side with BatchNorm. Then comes the task's head: pooling and a linear layer, or a decoder of eight or fourteen layers
that gives one value or more for each pixel.

A cell's canonical network is what is computed, as in NAS-Bench-201, but in ordinary and in strided cells at once: a
skip out of the input is contracted in the former and a weighted operation in the latter. The simplest cell stands for
all that agree in both.

The tasks' losses are the benchmark's, on which data-driven proxies stand: cross-entropy per image or pixel, mean
squared error (`room_layout`), mean absolute error (`normal`, `autoencoder`; the benchmark adds a hundredth of an
adversarial loss, which needs a second network and is left out). `jigsaw` shows nine tiles in a random order; here they
are an image cut in nine, and pass the encoder as one batch, so that BatchNorm sees them together.
"""

import itertools

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from zsnas.spaces import nasbench201
from zsnas.spaces.nasbench201 import EDGES, ReLUConvBN

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")  # named as in NAS-Bench-201
PREFIX = "64-41414-"
STEM_CHANNELS = 64
# Channels and stride of each cell.
CELLS = ((128, 2), (128, 1), (128, 1), (128, 1), (256, 2), (256, 1), (256, 1), (256, 1), (512, 2), (512, 1))
FEATURES = CELLS[-1][0]
TILES = 3

ARCHITECTURES = 4_096
CANONICAL = 1_376
TASKS = {
    "class_scene": {"classes": 47, "resolution": 256},
    "class_object": {"classes": 75, "resolution": 256},
    "jigsaw": {"classes": 1000, "resolution": 192},
    "room_layout": {"values": 9, "resolution": 256},
    "segmentsemantic": {"classes": 17, "resolution": 256, "pixels": 256},
    "normal": {"values": 3, "resolution": 256, "pixels": 256},
    "autoencoder": {"values": 3, "resolution": 256, "pixels": 256},
}


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
    half, positions = STEM_CHANNELS // 2, (resolution // 4) ** 2
    params = 27 * half + 2 * half + 9 * half * STEM_CHANNELS + 2 * STEM_CHANNELS + (FEATURES + 1) * classes
    macs = 27 * half * positions * 4 + 9 * half * STEM_CHANNELS * positions + FEATURES * classes
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
    return params, macs


def cells(table):
    """The cells without stride of an index's architectures as graphs; see `zsnas.cells`."""
    return nasbench201.graphs(table, (("none",), ("skip",), ("conv", 1), ("conv", 3)))


def genes(table):
    """The operations of an index's architectures, one position in OPERATIONS per edge (n, edges)."""
    return nasbench201.genes(table)


def build(arch, task):
    """The network of a cell for one of TASKS: operations that do not reach the output are not built.

    Initial weights of the encoder's convolutions are He's for their fan-out (normal), as in the benchmark, others
    torch's. Raises ValueError for a disconnected cell.
    """
    edges = nasbench201.connecting_edges(arch, parse(arch))
    return (Jigsaw if task == "jigsaw" else Network)(edges, task)


class Network(nn.Module):
    """Encoder and the task's head; `loss` is the task's."""

    def __init__(self, edges, task):
        super().__init__()
        half = STEM_CHANNELS // 2
        self.stem = nn.Sequential(
            nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(half),
            ReLUConvBN(half, STEM_CHANNELS, 3, stride=2),
        )
        before = [STEM_CHANNELS, *(channels for channels, _ in CELLS)]
        self.cells = nn.Sequential(*(Cell(edges, into, *shape) for into, shape in zip(before, CELLS)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.head = head(task)
        self.loss = LOSSES.get(task, F.cross_entropy)

    @property
    def blocks(self):
        """The stem, then the cells."""
        return [self.stem, *self.cells]

    def forward_features(self, images):
        return self.cells(self.stem(images))

    def forward(self, images):
        return self.head(self.forward_features(images))


class Jigsaw(Network):
    """A network that cuts its images into tiles and joins what the encoder says of each."""

    def forward_features(self, images):
        side = images.shape[2] // TILES
        rows = images[:, :, : TILES * side, : TILES * side].unfold(2, side, side).unfold(3, side, side)
        return self.cells(self.stem(rows.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)))

    def forward(self, images):
        pooled = self.forward_features(images).mean((2, 3))
        return self.head(pooled.view(len(images), -1))


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


class PooledLinear(nn.Linear):
    def forward(self, features):
        return super().forward(features.mean((2, 3)))


LOSSES = {"room_layout": F.mse_loss, "normal": F.l1_loss, "autoencoder": F.l1_loss}


def head(task):
    """What turns feature maps [B, 512, 8, 8] into a task's outputs."""
    facts = TASKS[task]
    if task == "jigsaw":
        return nn.Linear(TILES**2 * FEATURES, facts["classes"])
    if "pixels" not in facts:
        return PooledLinear(FEATURES, facts.get("classes") or facts["values"])
    if task == "segmentsemantic":
        widths = (FEATURES, 1024, 512, 256, 128, 64, 32, 32)
        doubling = (3, 4, 5, 6, 7)
        last = [nn.Conv2d(widths[-1], facts["classes"], 3, padding=1)]
    else:
        widths = (FEATURES, 1024, 1024, 512, 512, 256, 128, 64, 64, 32, 32, 16, 32, 16)
        doubling = (5, 7, 9, 11, 13)
        last = [nn.Conv2d(widths[-1], facts["values"], 3, padding=1), nn.Tanh()]
    layers = [
        decoder_layer(before, width, number in doubling)
        for number, (before, width) in enumerate(itertools.pairwise(widths), 1)
    ]
    return nn.Sequential(*layers, *last)


def decoder_layer(channels_in, channels, double):
    """A 3x3 convolution, transposed where it doubles the resolution, with BatchNorm and leaky ReLU."""
    convolution = (
        nn.ConvTranspose2d(channels_in, channels, 3, stride=2, padding=1, output_padding=1)
        if double
        else nn.Conv2d(channels_in, channels, 3, padding=1)
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2))
