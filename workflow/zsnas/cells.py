"""Cells as graphs, column by column: what a cell space offers to structural proxies that read topology.

A space whose networks are stacks of cells has a function `cells(table)` that returns a list of `Cells`, one for each
kind of cell (one for NAS-Bench-201, normal and reduction cell for DARTS), with one row per architecture of `table`.
Where operations sit on vertices, as in NAS-Bench-101, a vertex is two nodes with the operation on the edge between
them; where a cell's output is a concatenation, skips lead to the output node.
"""

from typing import NamedTuple

import numpy as np


class Operation(NamedTuple):
    """What an edge may carry. kind: "none", "skip", "conv" or "pool".

    kernel: width of the square window in pixels. A separable convolution has the kernel of the part that mixes
    channels, 1.
    """

    kind: str
    kernel: int = 1


class Cells(NamedTuple):
    """The cells of all architectures, on one set of possible edges.

    edges: (source, target) with source < target, sorted by target; the first `inputs` nodes are the cell's inputs, the
    last target is its output. operations: what an edge may carry. chosen: what each carries, as a position in
    `operations` [architectures, edges].
    """

    edges: tuple[tuple[int, int], ...]
    operations: tuple[Operation, ...]
    chosen: np.ndarray
    inputs: int = 1

    @property
    def nodes(self):
        return self.edges[-1][1] + 1

    def carry(self, kind):
        """Which edges carry an operation of this kind, dead ones included [architectures, edges]."""
        return np.array([operation.kind == kind for operation in self.operations])[self.chosen]

    def live(self):
        """Which edges lie on a path from an input to the output [architectures, edges]."""
        there = ~self.carry("none")
        from_input = np.zeros((len(there), self.nodes), bool)
        to_output = np.zeros_like(from_input)
        from_input[:, : self.inputs] = True
        to_output[:, -1] = True
        for edge, (source, target) in enumerate(self.edges):
            from_input[:, target] |= from_input[:, source] & there[:, edge]
        for edge, (source, target) in sorted(enumerate(self.edges), key=lambda it: -it[1][0]):
            to_output[:, source] |= to_output[:, target] & there[:, edge]
        sources, targets = np.transpose(self.edges)
        return there & from_input[:, sources] & to_output[:, targets]
