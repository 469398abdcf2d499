"""GRAF (Kadlecova et al., ICML 2024): features of a cell's graph, for predictors of accuracy.

For every set of operations that is not empty: the length of the shortest path from input to output over edges that
carry one of them, the largest number of them on any path, and how many of the edges out of the inputs and into the
output carry one of them. Beside these, how often each operation occurs. As in the paper "none" is an operation like the
others and dead operations count. Its mean degrees, which are sums of counts, are left out; its code counts operations
on the path that has most of them less the others, here it is the path that has most of them.
"""

import itertools

import numpy as np
import pandas as pd


def features(kinds):
    """The features of each architecture, one column each. kinds: the space's `cells(table)`, one `Cells` per kind.

    A shortest path that does not exist has length nodes + 1, as in the authors' code.
    """
    named = [features_of(cells) for cells in kinds]
    if len(named) == 1:
        return named[0]
    return pd.concat([frame.add_prefix(f"cell{at}_") for at, frame in enumerate(named)], axis=1)


def features_of(cells):
    names = [f"{operation.kind}{operation.kernel}" for operation in cells.operations]
    sets = [members for size in range(1, len(names) + 1) for members in itertools.combinations(range(len(names)), size)]
    among = np.array([[operation in members for operation in range(len(names))] for members in sets])
    allowed = among[:, cells.chosen]  # [sets, architectures, edges]
    shortest, most = path_lengths(cells, allowed)
    sources, targets = np.transpose(cells.edges)
    columns = {f"count_{name}": (cells.chosen == at).sum(1) for at, name in enumerate(names)}
    for at, members in enumerate(sets):
        of = "_".join(names[member] for member in members)
        columns[f"min_path_{of}"] = shortest[at]
        columns[f"max_on_path_{of}"] = most[at]
        columns[f"out_degree_{of}"] = allowed[at][:, sources < cells.inputs].sum(1)
        columns[f"in_degree_{of}"] = allowed[at][:, targets == cells.nodes - 1].sum(1)
    return pd.DataFrame(columns).astype(np.int16)


def path_lengths(cells, allowed):
    """Shortest path over allowed edges, and most allowed edges on a path over any [sets, architectures]."""
    absent = cells.nodes + 1
    shortest = np.full((cells.nodes, *allowed.shape[:2]), absent, np.int16)
    most = np.full(shortest.shape, -absent, np.int16)
    shortest[: cells.inputs] = most[: cells.inputs] = 0
    for edge, (source, target) in enumerate(cells.edges):
        step = np.where(allowed[:, :, edge], shortest[source] + 1, absent)
        shortest[target] = np.minimum(shortest[target], step)
        most[target] = np.maximum(most[target], most[source] + allowed[:, :, edge])
    return np.minimum(shortest[-1], absent), most[-1]
