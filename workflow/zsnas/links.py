"""Depth, width and long-range links of cells: what a space of residual or dense stacks offers to structural proxies.

Such a space has a function `links(table)` that returns `Links`, one row per architecture of `table`. It makes sense
where a cell is a chain of layers of one width with a budget of links between layers that are not neighbours: DenseNet,
residual networks. Cells whose links are operations to choose from, as in NAS-Bench-201, have no such budget.
"""

from typing import NamedTuple

import numpy as np


class Links(NamedTuple):
    """What cells are made of, each [architectures, cells]; NaN for cells that an architecture does not have.

    Layers per cell (at least 3), channels per layer, and at most how many channels of earlier layers a layer reads
    beside its predecessor's.
    """

    depth: np.ndarray
    width: np.ndarray
    budget: np.ndarray

    def read(self):
        """Channels read through long-range links, summed over the layers of each cell [architectures, cells].

        Layer i (from 2 to depth - 1) reads min(width (i - 1), budget) of the channels before its predecessor.
        """
        layers = np.arange(2, np.nanmax(self.depth))[:, None, None]
        read = np.minimum(self.width * (layers - 1), self.budget)
        return np.where(layers < self.depth, read, 0).sum(0)
