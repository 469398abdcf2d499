"""NAS-Bench-101 (Ying et al., ICML 2019): all 423 624 cells of at most seven vertices and nine edges.

A cell is a graph whose vertices carry operations: 3x3 convolution, 1x1 convolution (each with BatchNorm and ReLU) or
3x3 max pooling. Vertex 0 is the input; every edge out of it is a 1x1 convolution. An operation reads the sum of its
vertex's incoming edges; the output, the last vertex, concatenates what reaches it, and adds the input where that does.
A network has a stem of 128 channels and three stacks of three cells, of 128, 256 and 512 channels. The output's
channels are divided between the vertices it concatenates; any other vertex has as many as the widest it leads to.

Cells are named by the benchmark's hash (`zsnas.module_hash`). Of isomorphic cells the one that the benchmark lists
first stands for all, as where a division leaves a rest it is the order of vertices that says which is one channel
wider. Listed cells have no dead vertices and no skip connections to contract, and equal operations count as often as
they are executed. So what a cell computes is its graph, cells that are not isomorphic are different networks, and as
hashes are equal for isomorphic cells only, every architecture is canonical.

A hash does not tell the network; the column `design` does: the adjacency matrix above its diagonal row by row, and the
operations, as digits that are positions in OPERATIONS: `100101:20`.

Initial weights are normal: of convolutions He's for their fan-out, of the classifier with a deviation of 0.01, no bias,
as in NASBench-PyTorch, on whose networks published scores were computed; the benchmark drew them by variance scaling
for the fan-in. The classifier's decide the order of `jacob_cov` and `plain` (docs/results).
"""

import itertools
import re

import numpy as np
import pandas as pd
import torch
from torch import nn

from zsnas.cells import Cells, Operation
from zsnas.module_hash import module_hashes
from zsnas.spaces._index import of_distinct

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
CONV3X3, CONV1X1, POOL = range(3)
VERTICES, EDGES = 7, 9
STEM_CHANNELS = 128
STACKS, CELLS_PER_STACK = 3, 3

ARCHITECTURES = 423_624
CANONICAL = 423_624
COLUMNS = ("design", "conv3x3", "conv1x1", "pool", "skip", "depth", "paths")
TASKS = {"cifar10": {"classes": 10, "resolution": 32}}

# Each vertex between input and output is two nodes, the operation on the edge between them; see `cells`.
INNER = range(1, VERTICES - 1)
OUTPUT = 2 * VERTICES - 3
CELL_OPERATIONS = tuple(Operation(*kind) for kind in (("conv", 3), ("conv", 1), ("pool", 3), ("skip",), ("none",)))
SKIP, NONE = 3, 4


def architectures():
    """All cells, by name. `params` is the benchmark's count, `macs` that of convolutions and classifier.

    Beside the columns every space has: `design`; how many vertices carry each operation (`conv3x3`, `conv1x1`, `pool`)
    and, there being none, `skip`; `depth`, the most convolutions on one path from input to output, those on edges
    included, and `paths`, the number of such paths.
    """
    parts = [describe(*enumerate_cells(vertices)) for vertices in range(2, VERTICES + 1)]
    table = pd.concat(parts).sort_values("arch", ignore_index=True)
    return of_distinct(table.arch, table.params, table.macs, **table[list(COLUMNS)])


def enumerate_cells(vertices):
    """One cell of each isomorphism class: adjacency [cells, vertices, vertices] and operations [cells, vertices - 2].

    The benchmark runs through matrices, as binary numbers, and for each through operations, keeping what is new. Here
    matrices are told apart first; operations are new where no automorphism of the matrix leads to earlier ones.
    """
    matrices, orders = enumerate_matrices(vertices)
    inner = vertices - 2
    operations = np.array(list(itertools.product(range(len(OPERATIONS)), repeat=inner)), int)
    digits = len(OPERATIONS) ** np.arange(inner)[::-1]
    rank = operations @ digits
    first = np.ones((len(matrices), len(operations)), bool)
    for order in orders:
        automorphism = (matrices[:, order][:, :, order] == matrices).all((1, 2))
        first &= ~automorphism[:, None] | (operations[:, order[1:-1] - 1] @ digits >= rank)
    matrix, operation = first.nonzero()
    return matrices[matrix], operations[operation]


def enumerate_matrices(vertices):
    """The first adjacency matrix of each class of unlabelled cells, and all orders of the vertices."""
    edges = [(source, target) for target in range(vertices) for source in range(target)]  # from the lowest bit on
    numbers = np.arange(2 ** len(edges), dtype=np.int32)
    numbers = numbers[np.bitwise_count(numbers) <= EDGES]
    present = (numbers[:, None] >> np.arange(len(edges), dtype=np.int32) & 1).astype(bool)
    matrices = np.zeros((len(present), vertices, vertices), bool)
    matrices[:, *np.transpose(edges)] = present
    whole = matrices[:, :-1].any(2).all(1) & matrices[:, :, 1:].any(1).all(1)  # every vertex is on a path
    matrices = matrices[whole]
    orders = [np.array([0, *order, vertices - 1]) for order in itertools.permutations(range(1, vertices - 1))]
    values = 2.0 ** np.arange(vertices**2).reshape(vertices, vertices)
    least = np.full(len(matrices), np.inf)
    for order in orders:
        np.minimum(least, matrices.reshape(len(matrices), -1) @ values[order][:, order].ravel(), out=least)
    _, first = np.unique(least, return_index=True)
    return matrices[np.sort(first)], orders


def describe(adjacency, operations):
    """What there is to know of cells of equally many vertices."""
    cells, vertices = adjacency.shape[:2]
    labels = np.full((cells, vertices), -1)
    labels[:, 1:-1], labels[:, -1] = operations, -2
    params, macs = sizes(adjacency, operations)
    depth, paths = depth_and_paths(adjacency, operations)
    return pd.DataFrame(
        {
            "arch": module_hashes(adjacency, labels),
            "params": params,
            "macs": macs,
            "design": designs(adjacency, operations),
            **{name: (operations == at).sum(1) for at, name in enumerate(("conv3x3", "conv1x1", "pool"))},
            "skip": 0,
            "depth": depth,
            "paths": paths,
        }
    )


def designs(adjacency, operations):
    above = adjacency[:, *np.triu_indices(adjacency.shape[1], 1)]
    text = np.hstack([above + ord("0"), np.full((len(above), 1), ord(":")), operations + ord("0")]).astype(np.uint8)
    return np.ascontiguousarray(text).view(f"S{text.shape[1]}")[:, 0].astype(str)


def parse(design):
    """Adjacency matrix and operations of a design. Raises ValueError if it is none of a cell without dead vertices."""
    above, _, digits = design.partition(":")
    vertices = len(digits) + 2
    if (
        not re.fullmatch("[01]+:[012]*", design)
        or vertices > VERTICES
        or len(above) != vertices * (vertices - 1) // 2
        or above.count("1") > EDGES
    ):
        raise ValueError(f"'{design}' is not the design of a NAS-Bench-101 cell")
    adjacency = np.zeros((vertices, vertices), bool)
    adjacency[np.triu_indices(vertices, 1)] = np.frombuffer(above.encode(), np.uint8) - ord("0")
    if not (adjacency[:-1].any(1).all() and adjacency[:, 1:].any(0).all()):
        raise ValueError(f"'{design}' has a vertex that is on no path from input to output")
    return adjacency, np.array([int(digit) for digit in digits], int)


def channels_of_vertices(adjacency, channels):
    """Channels of each vertex but the input [cells, vertices - 1], of cells whose output has `channels`."""
    cells, vertices = adjacency.shape[:2]
    width = np.zeros((cells, vertices), int)
    width[:, -1] = channels
    to_output = adjacency[:, 1:-1, -1]
    share, rest = np.divmod(channels, np.maximum(to_output.sum(1), 1))
    wider = to_output.cumsum(1) <= rest[:, None]
    width[:, 1:-1] = to_output * (share[:, None] + wider)
    for vertex in range(vertices - 3, 0, -1):
        widest = (adjacency[:, vertex, 1:-1] * width[:, 1:-1]).max(1)
        width[:, vertex] = np.where(to_output[:, vertex - 1], width[:, vertex], widest)
    return width[:, 1:]


def sizes(adjacency, operations):
    """Parameters and multiply-accumulates of the network of each cell, for TASKS["cifar10"]."""
    classes, resolution = TASKS["cifar10"].values()
    window = np.array([9, 1, 0])[operations]
    before, positions = STEM_CHANNELS, resolution**2
    params = np.full(len(adjacency), 29 * before)
    macs = np.full(len(adjacency), 27 * before * positions)
    for stack in range(STACKS):
        channels = STEM_CHANNELS << stack
        width = channels_of_vertices(adjacency, channels)
        projected = (adjacency[:, 0, 1:] * width).sum(1)
        inner = width[:, :-1]
        normalised = projected + (inner * (window > 0)).sum(1)
        for _ in range(CELLS_PER_STACK):
            weights = (window * inner**2).sum(1) + before * projected
            params += weights + 2 * normalised
            macs += weights * positions
            before = channels
        positions //= 4
    return params + (before + 1) * classes, macs + before * classes


def depth_and_paths(adjacency, operations):
    """Most convolutions on a path from input to output, and the number of such paths, of each cell."""
    cells, vertices = adjacency.shape[:2]
    convolutions = np.hstack([operations != POOL, np.zeros((cells, 1), bool)])
    depth, paths = np.zeros((cells, vertices), int), np.zeros((cells, vertices), int)
    paths[:, 0] = 1
    for vertex in range(1, vertices):
        sources = adjacency[:, :vertex, vertex]
        reached = np.where(sources, depth[:, :vertex] + (np.arange(vertex) == 0), 0)
        depth[:, vertex] = reached.max(1) + convolutions[:, vertex - 1]
        paths[:, vertex] = (sources * paths[:, :vertex]).sum(1)
    return depth[:, -1], paths[:, -1]


def cells(table):
    """The cells of an index's architectures as graphs; see `zsnas.cells`.

    Node 0 is the input. Vertex v sums in node 2 v - 1 and gives the result of its operation in node 2 v. Smaller cells
    leave the last vertices out.
    """
    edges = []
    for vertex in INNER:
        edges += [(2 * source, 2 * vertex - 1) for source in range(vertex)] + [(2 * vertex - 1, 2 * vertex)]
    edges += [(2 * source, OUTPUT) for source in range(VERTICES - 1)]
    place = {edge: number for number, edge in enumerate(edges)}
    chosen = np.full((len(table), len(edges)), NONE, np.uint8)
    lengths = table.design.str.len().to_numpy()
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        digits = table.design.to_numpy(f"S{length}")[rows].view(np.uint8).reshape(len(rows), length) - ord("0")
        vertices = next(n for n in range(2, VERTICES + 1) if n * (n - 1) // 2 + 1 + n - 2 == length)
        for number, (source, target) in enumerate(zip(*np.triu_indices(vertices, 1))):
            edge = place[2 * source, OUTPUT if target == vertices - 1 else 2 * target - 1]
            chosen[rows, edge] = np.where(digits[:, number], SKIP if source else CONV1X1, NONE)
        for vertex in range(1, vertices - 1):
            chosen[rows, place[2 * vertex - 1, 2 * vertex]] = digits[:, vertex - vertices + 1]
    return [Cells(tuple(edges), CELL_OPERATIONS, chosen)]


def build(design, task):
    """The network of a design for one of TASKS."""
    return Network(*parse(design), TASKS[task]["classes"])


class Network(nn.Module):
    """The benchmark's skeleton."""

    def __init__(self, adjacency, operations, classes):
        super().__init__()
        self.stem = ConvBNReLU(3, STEM_CHANNELS, 3)
        self.stages = nn.ModuleList()
        before = STEM_CHANNELS
        for stack in range(STACKS):
            channels = STEM_CHANNELS << stack
            for number in range(CELLS_PER_STACK):
                cell = Cell(adjacency, operations, before, channels)
                halve = stack > 0 and number == 0
                self.stages.append(nn.Sequential(nn.MaxPool2d(2), cell) if halve else cell)
                before = channels
        self.classifier = nn.Linear(before, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    @property
    def blocks(self):
        """The stem, then the cells, the first of a stack with the pooling before it."""
        return [self.stem, *self.stages]

    def forward_features(self, images):
        x = self.stem(images)
        for stage in self.stages:
            x = stage(x)
        return x

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean((2, 3)))


class Cell(nn.Module):
    """A cell; a vertex one channel narrower than another that it reads takes that one's first channels."""

    def __init__(self, adjacency, operations, channels_in, channels):
        super().__init__()
        self.adjacency = adjacency
        self.width = [channels_in, *channels_of_vertices(adjacency[None], channels)[0].tolist()]
        self.projections = nn.ModuleDict(
            {
                str(target): ConvBNReLU(channels_in, self.width[target], 1)
                for target in np.flatnonzero(adjacency[0]).tolist()
            }
        )
        self.operations = nn.ModuleList(
            operation_module(operation, self.width[vertex]) for vertex, operation in enumerate(operations, 1)
        )

    def forward(self, x):
        last = len(self.adjacency) - 1
        vertices = {}
        for vertex, operation in enumerate(self.operations, 1):
            terms = [
                vertices[source][:, : self.width[vertex]]
                for source in range(1, vertex)
                if self.adjacency[source, vertex]
            ]
            if self.adjacency[0, vertex]:
                terms.append(self.projections[str(vertex)](x))
            vertices[vertex] = operation(sum(terms[1:], terms[0]))
        outputs = [vertices[vertex] for vertex in vertices if self.adjacency[vertex, last]]
        joined = [torch.cat(outputs, 1)] if outputs else []
        if self.adjacency[0, last]:
            joined.append(self.projections[str(last)](x))
        return sum(joined[1:], joined[0])


def operation_module(operation, channels):
    if operation == POOL:
        return nn.MaxPool2d(3, stride=1, padding=1)
    return ConvBNReLU(channels, channels, 3 if operation == CONV3X3 else 1)


class ConvBNReLU(nn.Sequential):
    """The benchmark's convolution."""

    def __init__(self, channels_in, channels, kernel):
        super().__init__(
            nn.Conv2d(channels_in, channels, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
