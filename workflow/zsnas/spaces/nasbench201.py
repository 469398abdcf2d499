"""NAS-Bench-201 (Dong & Yang, ICLR 2020), the topology space of NATS-Bench: all 15 625 cells.

A cell is a graph on four nodes. Node 0 is its input, node 3 its output, and each of the six edges (source < target)
carries one of five operations; a node is the sum of its incoming edges. A network stacks 3 x 5 such cells of 16, 32 and
64 channels, with a residual reduction block between the stages.

Many cells compute the same network. A cell's *canonical* network is what is really computed: operations that no path
from input to output uses are cut, skip connections are contracted, and every remaining operation, pooling included,
counts as often as it is executed. Cells whose computations are equal up to the naming of operations share a canonical
network; the simplest of them (fewest operations, then first by name) stands for all and carries no dead operation.

Counts to expect: 15 625 cells, 9 445 without a dead operation, 5 425 canonical networks (5 260 if equal poolings were
merged too, which would give networks of different latency one name) and 6 466 isomorphism classes as published. The
published classes ignore whether an operation is one used twice or two alike, so they serve for reporting only.
"""

import itertools

import numpy as np
import pandas as pd
import torch
from torch import nn

from zsnas.cells import Cells, Operation

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
CHANNELS = (16, 32, 64)
CELLS_PER_STAGE = 5

ARCHITECTURES = 15_625
CANONICAL = 5_425
COLUMNS = ("cell", "conv3x3", "conv1x1", "pool", "skip", "depth", "paths")
COUNTS = ("conv3x3", "conv1x1", "pool", "skip")  # columns whose sum, each times a cost, is a network's latency
TASKS = {
    "cifar10": {"classes": 10, "resolution": 32},
    "cifar100": {"classes": 100, "resolution": 32},
    "imagenet16-120": {"classes": 120, "resolution": 16},
}


def architectures():
    """All cells, by name. `params` and `macs` are the benchmark's, of the CIFAR-10 network as published.

    Beside the columns every space has: the operations of the published cell (`cell`, one digit per edge, a position in
    OPERATIONS), how many there are of each kind (`conv3x3`, `conv1x1`, `pool`, `skip`), and of the canonical cell
    `depth`, the most convolutions on one path from input to output, and `paths`, the number of such paths.
    """
    cells = pd.DataFrame([describe(operations) for operations in itertools.product(OPERATIONS, repeat=len(EDGES))])
    cells = cells.sort_values("arch", ignore_index=True)
    simplest = cells.sort_values(["operations", "arch"]).groupby("computation").arch.first()
    return pd.DataFrame(
        {
            "arch": cells.arch,
            "canonical": cells.computation.map(simplest),
            "iso_class": cells.groupby("published_form", sort=False).ngroup(),
            "reachable": cells.operations == cells.live,
            "connected": cells.live > 0,
            # What NATS-Bench counts: stem, reductions and head, then five cells at each of three stages.
            "params": 73_306 + 243_040 * cells.conv3x3 + 28_000 * cells.conv1x1,
            "macs": 7_783_050 + 35_389_440 * cells.conv3x3 + 3_932_160 * cells.conv1x1,
            **cells[["cell", "conv3x3", "conv1x1", "pool", "skip", "depth", "paths"]],
        }
    )


def describe(operations):
    """What there is to know of one cell, given its six operations in the order of EDGES."""
    live = live_edges(operations)
    depth, paths = depth_and_paths(live)
    return {
        "arch": cell_name(operations),
        "cell": "".join(str(OPERATIONS.index(operation)) for operation in operations),
        "computation": computation(live),
        "published_form": published_form(operations),
        "operations": sum(operation != "none" for operation in operations),
        "live": len(live),
        "conv3x3": operations.count("nor_conv_3x3"),
        "conv1x1": operations.count("nor_conv_1x1"),
        "pool": operations.count("avg_pool_3x3"),
        "skip": operations.count("skip_connect"),
        "depth": depth,
        "paths": paths,
    }


def cells(table):
    """The cells of an index's architectures as graphs; see `zsnas.cells`."""
    return graphs(table, (("none",), ("skip",), ("conv", 1), ("conv", 3), ("pool", 3)))


def genes(table):
    """The operations of an index's architectures, one position in OPERATIONS per edge (n, edges)."""
    return table.cell.to_numpy(f"S{len(EDGES)}").view(np.uint8).reshape(len(table), len(EDGES)) - ord("0")


def graphs(table, kinds):
    """The cells of an index whose column `cell` has a digit per edge, a position in `kinds`: see `zsnas.cells`."""
    return [Cells(EDGES, tuple(Operation(*kind) for kind in kinds), genes(table))]


def cell_name(operations):
    """The benchmark's string of a cell: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
    edges = [f"{operation}~{source}" for (source, _), operation in zip(EDGES, operations)]
    return "+".join(f"|{'|'.join(node)}|" for node in (edges[:1], edges[1:3], edges[3:]))


def parse(arch):
    """The six operations of a cell's string. Raises ValueError if it is not the name of a cell."""
    operations = tuple(edge.partition("~")[0] for node in arch.split("+") for edge in node.strip("|").split("|"))
    if not set(operations) <= set(OPERATIONS) or cell_name(operations) != arch:
        raise ValueError(f"'{arch}' is not the name of a NAS-Bench-201 cell")
    return operations


def live_edges(operations):
    """The edges, as (source, target, operation), that lie on some path from input to output."""
    edges = [(s, t, operation) for (s, t), operation in zip(EDGES, operations) if operation != "none"]
    from_input, to_output = {0}, {3}
    for source, target, _ in edges:
        if source in from_input:
            from_input.add(target)
    for source, target, _ in reversed(edges):
        if target in to_output:
            to_output.add(source)
    return [(s, t, operation) for s, t, operation in edges if s in from_input and t in to_output]


def computation(live):
    """A string equal for exactly those cells that compute the same: the output, written out with its terms in order.

    Node 1 alone has two readers, so that only the operation of edge (0, 1) can occur twice. Where it does it is marked,
    for one operation used twice is not two alike.
    """

    def output(mark):
        sums = {0: ["x"], 1: [], 2: [], 3: []}
        for source, target, operation in live:
            if operation == "skip_connect":
                sums[target] += sums[source]
            else:
                name = operation + mark if target == 1 else operation
                sums[target].append(f"{name}({'+'.join(sorted(sums[source]))})")
        return "+".join(sorted(sums[3]))

    marked = output("#")
    return marked if marked.count("#") > 1 else output("")


def published_form(operations):
    """The string by which NAS-Bench-201 tells isomorphic cells: skips contracted, zeros marked, operations unnamed."""
    nodes = {0: "0"}
    for target in (1, 2, 3):
        terms = []
        for (source, edge_target), operation in zip(EDGES, operations):
            if edge_target != target:
                continue
            if operation == "none" or nodes[source] == "#":
                terms.append("#")
            elif operation == "skip_connect":
                terms.append(nodes[source])
            else:
                terms.append(f"({nodes[source]})@{operation}")
        nodes[target] = "+".join(sorted(terms))
    return nodes[3]


def depth_and_paths(live):
    """Most convolutions on a path from input to output, and the number of such paths; (0, 0) where there is none."""
    depth, paths = {0: 0}, {0: 1}
    for source, target, operation in live:
        depth[target] = max(depth.get(target, 0), depth[source] + operation.startswith("nor_conv"))
        paths[target] = paths.get(target, 0) + paths[source]
    return depth.get(3, 0), paths.get(3, 0)


def build(arch, task):
    """The network of a cell for one of TASKS: operations that do not reach the output are not built.

    Weights come from torch's default initialisation and its global generator. Raises ValueError for a disconnected
    cell, whose output does not depend on its input.
    """
    return Network(connecting_edges(arch, parse(arch)), TASKS[task]["classes"])


def connecting_edges(arch, operations):
    """The live edges of an architecture's operations. Raises ValueError where there are none."""
    live = live_edges(operations)
    if not live:
        raise ValueError(f"'{arch}' is disconnected: no path leads from its input to its output")
    return live


def build_as_published(arch, task):
    """The benchmark's own module, dead operations included: what its parameter counts refer to."""
    edges = [(s, t, operation) for (s, t), operation in zip(EDGES, parse(arch)) if operation != "none"]
    return Network(edges, TASKS[task]["classes"])


class Skeleton(nn.Module):
    """What NATS-Bench's networks do with a stem, cells, a last BatchNorm with ReLU, and a classifier."""

    @property
    def blocks(self):
        """The stem, then the cells and the reductions between them."""
        return [self.stem, *self.cells]

    def forward_features(self, images):
        return self.last(self.cells(self.stem(images)))

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean((2, 3)))


class Network(Skeleton):
    """The benchmark's `TinyNetwork`; modules in its order, so that weights can be told by position."""

    def __init__(self, edges, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, CHANNELS[0], 3, padding=1, bias=False), nn.BatchNorm2d(CHANNELS[0]))
        blocks = []
        for stage, channels in enumerate(CHANNELS):
            if stage:
                blocks.append(Reduction(CHANNELS[stage - 1], channels))
            blocks += [Cell(edges, channels) for _ in range(CELLS_PER_STAGE)]
        self.cells = nn.Sequential(*blocks)
        self.last = nn.Sequential(nn.BatchNorm2d(CHANNELS[-1]), nn.ReLU())
        self.classifier = nn.Linear(CHANNELS[-1], classes)


class Cell(nn.Module):
    """A cell of given edges (source, target, operation); a node without incoming edges is zero."""

    def __init__(self, edges, channels):
        super().__init__()
        self.edges = edges
        self.operations = nn.ModuleList(operation_module(operation, channels) for _, _, operation in edges)

    def forward(self, x):
        return output_node(x, self.edges, self.operations)


def output_node(x, edges, operations):
    """The output of a cell with input x: nodes are sums of what comes in over edges (source, target, ...), or zero."""
    nodes = {0: x}
    for (source, target, *_), operation in zip(edges, operations):
        term = operation(nodes[source]) if source in nodes else operation(torch.zeros_like(x))
        nodes[target] = nodes[target] + term if target in nodes else term
    return nodes[3] if 3 in nodes else torch.zeros_like(x)


class Reduction(nn.Module):
    """Residual block that halves the resolution; its shortcut pools and projects, without BatchNorm."""

    def __init__(self, channels_in, channels):
        super().__init__()
        self.conv_a = ReLUConvBN(channels_in, channels, 3, stride=2)
        self.conv_b = ReLUConvBN(channels, channels, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels_in, channels, 1, bias=False))

    def forward(self, x):
        return self.shortcut(x) + self.conv_b(self.conv_a(x))


def operation_module(operation, channels):
    if operation == "nor_conv_3x3":
        return ReLUConvBN(channels, channels, 3)
    if operation == "nor_conv_1x1":
        return ReLUConvBN(channels, channels, 1)
    if operation == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return nn.Identity()


class ReLUConvBN(nn.Sequential):
    """The benchmark's convolution. Its name, which is the benchmark's too, decides what `nwot_bw` counts."""

    def __init__(self, channels_in, channels, kernel, stride=1):
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(channels_in, channels, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(channels),
        )
