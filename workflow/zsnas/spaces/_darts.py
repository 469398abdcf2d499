"""Networks of DARTS's form: a stem, stacked cells, and a classifier of the last cell's mean.

A cell has two inputs, the outputs of the last two cells, and some nodes; a node is the sum of two operations that read
earlier nodes or inputs, and the output is the concatenation of some nodes. Cells are normal but for two of a network, a
third and two thirds of the way: these reduction cells halve the map and double the channels. An operation "none" gives
zeros; operations that read nothing else, or that no output reads, are dead.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from zsnas.cells import Cells, Operation

STEM = 3  # times a cell's channels
# In separable and dilated convolutions it is the 1 x 1 part that mixes channels.
OPERATIONS = {
    "none": Operation("none"),
    "skip_connect": Operation("skip"),
    "sep_conv_3x3": Operation("conv", 1),
    "sep_conv_5x5": Operation("conv", 1),
    "sep_conv_7x7": Operation("conv", 1),
    "dil_conv_3x3": Operation("conv", 1),
    "dil_conv_5x5": Operation("conv", 1),
    "dil_sep_conv_3x3": Operation("conv", 1),
    "conv_1x1": Operation("conv", 1),
    "conv_3x3": Operation("conv", 3),
    "conv_3x1_1x3": Operation("conv", 3),
    "conv_7x1_1x7": Operation("conv", 7),
    "avg_pool_3x3": Operation("pool", 3),
    "max_pool_3x3": Operation("pool", 3),
    "max_pool_5x5": Operation("pool", 5),
    "max_pool_7x7": Operation("pool", 7),
}
CROSSED = ("conv_3x1_1x3", "conv_7x1_1x7")  # two convolutions, along rows and along columns


class Wiring(NamedTuple):
    """A kind of cell. nodes: of each its (operation, source) pairs; concat: which nodes make the output.

    Sources are numbered through: 0 and 1 are the inputs, 2 the first node.
    """

    nodes: tuple
    concat: tuple


def wiring(edges, concat):
    """The cell of a genotype's edges, (operation, source), two for a node. Raises ValueError where they make none."""
    cell = Wiring(tuple(zip(map(tuple, edges[::2]), map(tuple, edges[1::2]), strict=True)), tuple(concat))
    known = set(cell.concat) <= set(range(2, 2 + len(cell.nodes))) and all(
        operation in OPERATIONS and source in range(number)
        for number, node in enumerate(cell.nodes, 2)
        for operation, source in node
    )
    if not known:
        raise ValueError(f"{edges} with output {concat} is no cell")
    return cell


def index(names, shapes, genotypes, sizes, **columns):
    """The index of networks, in the order of `names`: of each its (channels, depth), cells, and (params, macs).

    Beside the columns every space has, and `columns`: how many convolutions, poolings and skips both cells have.
    Separable and dilated convolutions are `conv1x1`, one each, as in `graphs`; others larger than 1 x 1 are `conv3x3`.
    Networks are the same whose nodes have the same live operations in any order; nodes are not reordered.
    """
    lives = [tuple(map(live, cells)) for cells in genotypes]
    computed = pd.Series(
        [
            str((shape, [([sorted(node) for node in cell.nodes], cell.concat) for cell in cells]))
            for shape, cells in zip(shapes, lives)
        ]
    )
    reachable = pd.Series([count(genotype) == count(cells) for genotype, cells in zip(genotypes, lives)])
    without_dead = names[reachable.sort_values(ascending=False, kind="stable").index]
    kinds = [[OPERATIONS[operation] for operation in operations_of(genotype)] for genotype in genotypes]
    return pd.DataFrame(
        {
            "arch": names,
            "canonical": computed.map(without_dead.groupby(computed).first()),
            "iso_class": names.groupby(computed).ngroup(),
            "reachable": reachable,
            "connected": [all(any(cell.nodes) for cell in cells) for cells in lives],
            "params": [params for params, _ in sizes],
            "macs": [macs for _, macs in sizes],
            **columns,
            "conv3x3": [sum(it.kind == "conv" and it.kernel > 1 for it in operations) for operations in kinds],
            "conv1x1": [operations.count(Operation("conv", 1)) for operations in kinds],
            "pool": [sum(it.kind == "pool" for it in operations) for operations in kinds],
            "skip": [operations.count(Operation("skip")) for operations in kinds],
        }
    )


def live(cell):
    """The cell without dead operations; a node that has none left is zero, or not needed."""
    nodes, sources, wanted = [], {0, 1}, set(cell.concat)
    for number, node in enumerate(cell.nodes, 2):
        nodes.append(
            tuple((operation, source) for operation, source in node if operation != "none" and source in sources)
        )
        if nodes[-1]:
            sources.add(number)
    for at in reversed(range(len(nodes))):
        if at + 2 not in wanted:
            nodes[at] = ()
        wanted.update(source for _, source in nodes[at])
    return Wiring(tuple(nodes), cell.concat)


def operations_of(genotype):
    """The operations of both cells, in order."""
    return [operation for cell in genotype for node in cell.nodes for operation, _ in node]


def count(genotype):
    """How many operations both cells have."""
    return sum(operation != "none" for operation in operations_of(genotype))


def graphs(cells, operations):
    """Cells of equally many nodes as graphs; see `zsnas.cells`. A node may read a source twice: edges come in pairs."""
    kinds = tuple(dict.fromkeys(OPERATIONS[name] for name in operations))
    none, skip = kinds.index(Operation("none")), kinds.index(Operation("skip"))
    nodes = range(2, 2 + len(cells[0].nodes))
    places = [(source, node, slot) for node in nodes for slot in (0, 1) for source in range(node)]
    edges = [(source, target) for source, target, _ in places] + [(node, nodes.stop) for node in nodes]
    place_of = {place: at for at, place in enumerate(places)}
    chosen = np.full((len(cells), len(edges)), none)
    for row, cell in enumerate(cells):
        for node, pair, kept in zip(nodes, cell.nodes, live(cell).nodes, strict=True):
            for slot, (operation, source) in enumerate(pair):
                chosen[row, place_of[source, node, slot]] = kinds.index(OPERATIONS[operation])
            if kept and node in cell.concat:  # the output is not joined to what is nothing
                chosen[row, len(places) + node - 2] = skip
    return Cells(tuple(edges), kinds, chosen, inputs=2)


def cells_of(genotypes, operations):
    """All normal and all reduction cells as graphs: what the function `cells` of a space gives.

    operations: names of those that the space has.
    """
    return [graphs(cells, operations) for cells in zip(*genotypes)]


def weights(name, channels, stride):
    """How many weights the convolutions of an operation have."""
    if name == "skip_connect" and stride > 1:
        return channels**2
    if "conv" not in name:
        return 0
    kernel = int(name[-1])
    if name in CROSSED:
        return 2 * kernel * channels**2
    if name.startswith("conv"):
        return kernel**2 * channels**2
    return (2 if "sep" in name else 1) * channels * (kernel**2 + channels)


def skeleton(cells, channels, depth):
    """Each cell: input channels of the last but one and the last cell, channels, whether it and the last reduce.

    cells: normal and reduction cell; channels: of the first cell's nodes; depth: number of cells.
    """
    before, last, reduced = STEM * channels, STEM * channels, False
    for layer in range(depth):
        reduces = layer in (depth // 3, 2 * depth // 3)
        channels *= 1 + reduces
        yield before, last, channels, reduces, reduced
        before, last, reduced = last, len(cells[reduces].concat) * channels, reduces


def network(name, cells, channels, depth, classes, searched):
    """The network of normal and reduction cell without their dead operations; see `Network`.

    Raises ValueError, which tells the name, for a cell that no input reaches.
    """
    lives = tuple(map(live, cells))
    if not all(any(cell.nodes) for cell in lives):
        raise ValueError(f"'{name}' is disconnected: a cell reads none of its inputs")
    return Network(lives, channels, depth, classes, searched)


class Network(nn.Module):
    """The network of live normal and reduction cells, with torch's default initial weights.

    channels, depth: see `skeleton`; searched: whether operations are as in DARTS's search, where their BatchNorms have
    no scale and one follows each pooling.
    """

    def __init__(self, cells, channels, depth, classes, searched):
        super().__init__()
        stem = STEM * channels
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        widths = [*skeleton(cells, channels, depth)]
        self.cells = nn.ModuleList(
            Cell(cells[reduces], *rest, reduces, reduced, searched) for *rest, reduces, reduced in widths
        )
        *_, (_, _, channels, reduces, _) = widths
        self.classifier = nn.Linear(len(cells[reduces].concat) * channels, classes)

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
    """A live cell; a node without operations is zero."""

    def __init__(self, cell, before, last, channels, reduces, reduced, searched):
        super().__init__()
        self.cell = cell
        self.before = HalvedMap(before, channels) if reduced else convolution(before, channels)
        self.last = convolution(last, channels)
        self.operations = nn.ModuleList(
            operation_module(operation, channels, 1 + (reduces and source < 2), searched)
            for node in cell.nodes
            for operation, source in node
        )

    def forward(self, before, last):
        values = [self.before(before), self.last(last)]
        operations = iter(self.operations)
        for node in self.cell.nodes:
            terms = [next(operations)(values[source]) for _, source in node]
            values.append(sum(terms) if terms else None)
        zero = torch.zeros_like(next(value for value in values[2:] if value is not None))
        return torch.cat([zero if values[node] is None else values[node] for node in self.cell.concat], 1)


def operation_module(name, channels, stride, searched):
    affine, kernel = not searched, int(name[-1]) if name[-1].isdigit() else 1
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else HalvedMap(channels, channels, affine)
    if name.startswith(("avg_pool", "max_pool")):
        pooling = (
            nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
            if name.startswith("avg")
            else nn.MaxPool2d(kernel, stride, kernel // 2)
        )
        return nn.Sequential(pooling, nn.BatchNorm2d(channels, affine=False)) if searched else pooling
    if name in CROSSED:
        return crossed(channels, kernel, stride, affine)
    if name.startswith("conv"):
        return convolution(channels, channels, kernel, stride, affine)
    dilation = 2 if name.startswith("dil") else 1
    first = separable(channels, kernel, stride, dilation, affine)
    return nn.Sequential(*first, *separable(channels, kernel, 1, dilation, affine)) if "sep" in name else first


def convolution(channels, out, kernel=1, stride=1, affine=True):
    """ReLU, convolution and BatchNorm."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out, affine=affine),
    )


def separable(channels, kernel, stride, dilation, affine):
    """ReLU, depthwise and 1 x 1 convolution, and BatchNorm."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    )


def crossed(channels, kernel, stride, affine):
    """ReLU, a convolution along each row and one along each column, and BatchNorm."""
    along_rows = nn.Conv2d(channels, channels, (1, kernel), (1, stride), (0, kernel // 2), bias=False)
    along_columns = nn.Conv2d(channels, channels, (kernel, 1), (stride, 1), (kernel // 2, 0), bias=False)
    return nn.Sequential(nn.ReLU(), along_rows, along_columns, nn.BatchNorm2d(channels, affine=affine))


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
