"""DARTS (Liu et al., 2019): a normal and a reduction cell, stacked; NAS-Bench-301's proxy network on CIFAR-10.

Each cell has two inputs and four nodes; a node is the sum of two operations that read earlier nodes or inputs, and the
output is the concatenation of the nodes. The network is a stem and eight cells of 32 channels, the third and the sixth
of which are reduction cells that halve the map and double the channels. The BatchNorms of a cell's operations have no
scale and one follows each pooling, as in NASLib's networks, whose sizes and scores are published; the code that trained
NAS-Bench-301's networks asks for a scale. An architecture is named by its genotype.

The space has some 10^18 members, so it is listed: 725 genotypes of NAS-Bench-301 whose accuracy a surrogate predicts
(`nb301_surrogate`), and 1 000 that Peng et al. (2024, SWAP) really trained (`swap`; in these both cells are alike, and
an operation may be "none"). Their networks had other sizes, which the source does not state. A node without
input is zero, and operations that read it are dead: 26 of SWAP's genotypes have some and stand for themselves where the
same genotype without them is not listed. Two are disconnected and share one canonical network, which leaves 1 724.
"""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from zsnas.cells import Cells, Operation
from zsnas.readers import _genotypes, naslib_darts, swap
from zsnas.readers import table as tables

NODES, LAYERS, CHANNELS, STEM = 4, 8, 32, 3
REST = 41_472  # what NAS-Bench-301's counts have beyond ours in every network, its last mean among it
KINDS = (Operation("none"), Operation("skip"), Operation("conv", 1), Operation("pool", 3))
OPERATIONS = {
    "none": 0,
    "skip_connect": 1,
    "sep_conv_3x3": 2,
    "sep_conv_5x5": 2,
    "dil_conv_3x3": 2,
    "dil_conv_5x5": 2,
    "avg_pool_3x3": 3,
    "max_pool_3x3": 3,
}

ARCHITECTURES = 1_725
CANONICAL = 1_724
COLUMNS = ("conv3x3", "conv1x1", "pool", "skip")
TASKS = {"cifar10": {"classes": 10, "resolution": 32}}
LISTED = {
    ("zc_nasbench301.json", "nb301_surrogate_sample.parquet"): "https://github.com/automl/NASLib",
    ("DARTS_archs_CIFAR10.csv", "darts_cifar10_swap.parquet"): "https://github.com/pym1024/SWAP",
}


def architectures(*paths):
    """The genotypes of the tables, by name. `params` and `macs` are NAS-Bench-301's; see `size`.

    Beside the columns every space has: how many convolutions, poolings and skips both cells have. Separable and dilated
    convolutions are `conv1x1`, one each, as in `cells`; `conv3x3`, which mix channels and positions at once, are none.
    """
    names = pd.Series(sorted({name for path in paths for name in listed(path)}))
    genotypes = names.map(parse)
    live = genotypes.map(lambda genotype: tuple(live_operations(cell) for cell in genotype))
    computed = live.map(lambda cells: str([[sorted(node) for node in cell] for cell in cells]))
    sizes = [size(genotype) for genotype in genotypes]
    reachable = pd.Series([count(genotype) == count(cells) for genotype, cells in zip(genotypes, live)])
    without_dead = names[reachable.sort_values(ascending=False, kind="stable").index]
    return pd.DataFrame(
        {
            "arch": names,
            "canonical": computed.map(without_dead.groupby(computed).first()),
            "iso_class": names.groupby(computed).ngroup(),
            "reachable": reachable,
            "connected": [all(any(cell) for cell in cells) for cells in live],
            "params": [params for params, _ in sizes],
            "macs": [macs for _, macs in sizes],
            "conv3x3": 0,
            "conv1x1": names.str.count("(sep|dil)_conv"),
            "pool": names.str.count("(avg|max)_pool"),
            "skip": names.str.count("skip_connect"),
        }
    )


def listed(path):
    """The genotypes of SWAP's or NASLib's published file, or of a table."""
    published = {reader.FILE: reader for reader in (swap, naslib_darts)}.get(Path(path).name)
    return published.names(path) if published else tables.columns(path, ["genotype"]).genotype


def count(genotype):
    """Operations in both cells."""
    return sum(operation != "none" for cell in genotype for node in cell for operation, _ in node)


def parse(arch):
    """Normal and reduction cell: four nodes each of two (operation, source). Raises ValueError for another name."""
    try:
        call = {keyword.arg: ast.literal_eval(keyword.value) for keyword in ast.parse(arch, mode="eval").body.keywords}
        cells = [tuple(zip(call[kind][::2], call[kind][1::2], strict=True)) for kind in ("normal", "reduce")]
        known = genotype_name(*cells) == arch and all(len(cell) == NODES for cell in cells)
        known = known and all(
            o in OPERATIONS and 0 <= s < n + 2 for cell in cells for n in range(NODES) for o, s in cell[n]
        )
    except (ValueError, SyntaxError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ValueError(f"'{arch}' is not a DARTS genotype")
    return tuple(cells)


def genotype_name(normal, reduction):
    """The genotype as DARTS prints it."""
    return _genotypes.name(*([edge for node in cell for edge in node] for cell in (normal, reduction)))


def live_operations(cell):
    """The cell with only the operations whose source depends on an input; every node reaches the output."""
    live, sources = [], {0, 1}
    for number, node in enumerate(cell):
        live.append(
            tuple((operation, source) for operation, source in node if operation != "none" and source in sources)
        )
        if live[-1]:
            sources.add(number + 2)
    return tuple(live)


def cells(table):
    """Normal and reduction cells as graphs; see `zsnas.cells`. A node may read a source twice, so edges come in pairs.

    In separable and dilated convolutions it is the 1 x 1 part that mixes channels.
    """
    genotypes = table.arch.map(parse)
    return [graphs([genotype[kind] for genotype in genotypes]) for kind in (0, 1)]


def graphs(chosen_cells):
    places = [(source, node + 2, slot) for node in range(NODES) for slot in (0, 1) for source in range(node + 2)]
    output = NODES + 2
    edges = [(source, target) for source, target, _ in places] + [(node + 2, output) for node in range(NODES)]
    place_of = {place: at for at, place in enumerate(places)}
    chosen = np.zeros((len(chosen_cells), len(edges)), int)
    chosen[:, len(places) :] = KINDS.index(Operation("skip"))
    for row, cell in enumerate(chosen_cells):
        for node, (pair, live) in enumerate(zip(cell, live_operations(cell))):
            for slot, (operation, source) in enumerate(pair):
                chosen[row, place_of[source, node + 2, slot]] = OPERATIONS[operation]
            if not live:  # the output is not joined to what is nothing
                chosen[row, len(places) + node] = KINDS.index(Operation("none"))
    return Cells(tuple(edges), KINDS, chosen, inputs=2)


def skeleton():
    """Each cell: input channels of the last but one and the last cell, channels, whether it and the last reduce."""
    before, last, channels, reduced = STEM * CHANNELS, STEM * CHANNELS, CHANNELS, False
    for layer in range(LAYERS):
        reduces = layer in (LAYERS // 3, 2 * LAYERS // 3)
        channels *= 1 + reduces
        yield before, last, channels, reduces, reduced
        before, last, reduced = last, NODES * channels, reduces


def size(genotype):
    """Parameters and multiply-accumulates of the network, as NAS-Bench-301's are published.

    Beside its products it counts one for each value of a ReLU and of a BatchNorm without scale, two with scale, and
    nine, the positions of its window, for each value of a pooling.
    """
    classes, side = TASKS["cifar10"].values()
    params, macs = STEM * CHANNELS * (27 + 2), STEM * CHANNELS * (27 + 2) * side**2
    for before, last, channels, reduces, reduced in skeleton():
        params += (before + last + 4) * channels
        macs += ((before + last + 4) * channels + last + before * (4 if reduced else 1)) * side**2
        side //= 1 + reduces
        for node in genotype[reduces]:
            for operation, source in node:
                products, others = operation_size(operation, channels, reduces and source < 2)
                params += products
                macs += (products + others) * side**2
    return params + (NODES * channels + 1) * classes, macs + NODES * channels * classes + REST


def operation_size(operation, channels, strided):
    """Parameters, which are the products per position of the output, and what else is counted per position."""
    if operation.endswith("pool_3x3"):
        return 0, (9 + 1) * channels
    rectified = 4 if strided else 1  # positions that the first ReLU sees
    if operation == "skip_connect" and strided:
        return channels**2, (rectified + 1) * channels
    if "conv" not in operation:
        return 0, 0
    kernel = int(operation[-1])
    if operation.startswith("sep"):
        return 2 * channels * (kernel**2 + channels), (rectified + 3) * channels
    return channels * (kernel**2 + channels), (rectified + 1) * channels


def build(arch, task):
    """The network of a genotype for one of TASKS: operations without input are not built.

    Weights are torch's default initial ones. Raises ValueError for a cell that no input reaches.
    """
    cells = tuple(live_operations(cell) for cell in parse(arch))
    if not all(any(cell) for cell in cells):
        raise ValueError(f"'{arch}' is disconnected: a cell reads none of its inputs")
    return Network(cells, TASKS[task]["classes"])


class Network(nn.Module):
    """Stem, cells, and a classifier of the last cell's mean."""

    def __init__(self, genotype, classes):
        super().__init__()
        stem = STEM * CHANNELS
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        self.cells = nn.ModuleList(Cell(genotype[widths[3]], *widths) for widths in skeleton())
        *_, (_, _, channels, _, _) = skeleton()
        self.classifier = nn.Linear(NODES * channels, classes)

    @property
    def blocks(self):
        """The stem, then the cells."""
        return [self.stem, *self.cells]

    def forward_features(self, images):
        before = last = self.stem(images)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return last

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean((2, 3)))


class Cell(nn.Module):
    """A cell of given nodes, each a list of (operation, source); a node without operations is zero."""

    def __init__(self, nodes, before, last, channels, reduces, reduced):
        super().__init__()
        self.nodes = nodes
        self.before = HalvedMap(before, channels) if reduced else convolution(before, channels)
        self.last = convolution(last, channels)
        self.operations = nn.ModuleList(
            operation_module(operation, channels, 1 + (reduces and source < 2))
            for node in nodes
            for operation, source in node
        )

    def forward(self, before, last):
        values = [self.before(before), self.last(last)]
        operations = iter(self.operations)
        for node in self.nodes:
            terms = [next(operations)(values[source]) for _, source in node]
            values.append(sum(terms) if terms else None)
        zero = torch.zeros_like(next(value for value in values[2:] if value is not None))
        return torch.cat([zero if value is None else value for value in values[2:]], 1)


def operation_module(operation, channels, stride):
    if operation == "skip_connect":
        return nn.Identity() if stride == 1 else HalvedMap(channels, channels, affine=False)
    kernel = int(operation[-1])
    if operation == "avg_pool_3x3":
        return normed(nn.AvgPool2d(kernel, stride, padding=1, count_include_pad=False), channels)
    if operation == "max_pool_3x3":
        return normed(nn.MaxPool2d(kernel, stride, padding=1), channels)
    if operation.startswith("dil"):
        return separable(channels, kernel, stride, dilation=2)
    return nn.Sequential(*separable(channels, kernel, stride), *separable(channels, kernel, 1))


def normed(pooling, channels):
    return nn.Sequential(pooling, nn.BatchNorm2d(channels, affine=False))


def separable(channels, kernel, stride, dilation=1):
    """ReLU, depthwise and 1 x 1 convolution, and BatchNorm without scale."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    )


def convolution(channels, out):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))


class HalvedMap(nn.Module):
    """Two strided 1 x 1 convolutions, the second one pixel aside: half the resolution (DARTS's FactorizedReduce)."""

    def __init__(self, channels, out, affine=True):
        super().__init__()
        self.rectify = nn.ReLU()
        self.even = nn.Conv2d(channels, out // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels, out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(out, affine=affine)

    def forward(self, x):
        x = self.rectify(x)
        return self.norm(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))
