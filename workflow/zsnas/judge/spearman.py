"""Spearman's correlation of many scores with many targets, for many bootstrap replicates at once, and partial ones."""

import numpy as np
from numba import njit, prange


def spearmans(values, targets, weights):
    """Spearman's rho of every row of ``values`` (v, n) with every row of ``targets`` (t, n).

    An item counts as often as its ``weight`` says, a whole number (replicates, n). Returns (replicates, v, t), NaN
    where a row is constant. Unlike `statistics.rank_correlations` it takes many targets and no cuts.
    """
    products, value_squares, target_squares = rank_products(*sorted_groups(values), *sorted_groups(targets), weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return products / np.sqrt(value_squares[:, :, None] * target_squares[:, None, :])


def partial(proxy_cost, proxy_truth, truth_cost):
    """Correlation of proxy and truth given cost, from the three correlations of pairs; NaN where cost says it all."""
    scale = (1 - proxy_cost**2) * (1 - truth_cost**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Ranks that are the cost's own leave nothing but rounding errors.
        return np.where(scale > 1e-12, (proxy_truth - proxy_cost * truth_cost) / np.sqrt(scale), np.nan)


def sorted_groups(values):
    """The items in the order of each row of ``values`` (v, n), and a mark where a group of equal values begins."""
    orders = np.argsort(values, axis=1, kind="stable").astype(np.int32)
    ordered = np.take_along_axis(values, orders, axis=1)
    return orders, np.diff(ordered, axis=1, prepend=-np.inf) != 0


@njit(nogil=True, cache=True)
def centred_ranks(order, starts, weight, total):
    """Twice the midrank of every item, less the mean; ``order`` sorts them, ``starts`` marks groups of equal values."""
    n = len(order)
    ranks = np.empty(n)
    before, first = 0, 0
    while first < n:
        last, group = first + 1, int(weight[order[first]])
        while last < n and not starts[last]:
            group += weight[order[last]]
            last += 1
        for position in range(first, last):
            ranks[order[position]] = 2 * before + group - total
        before += group
        first = last
    return ranks


@njit(nogil=True, parallel=True, cache=True)
def rank_products(orders, starts, target_orders, target_starts, weights):
    """Weighted sums of products of centred ranks: (replicates, v, t), and the squares (replicates, v), (replicates, t).

    All are sums of whole numbers, below n^3 / 3, and up to some 300 000 items exact in float64, so that equal orders
    give exactly 1; beyond they are as exact as sums in float64 are.
    """
    replicates, variables, targets = len(weights), len(orders), len(target_orders)
    products = np.empty((replicates, variables, targets))
    squares, target_squares = np.empty((replicates, variables)), np.empty((replicates, targets))
    for replicate in prange(replicates):
        weight = weights[replicate]
        total = 0
        for item in range(len(weight)):
            total += weight[item]
        weighted = np.empty((targets, len(weight)))
        for target in range(targets):
            ranks = centred_ranks(target_orders[target], target_starts[target], weight, total)
            weighted[target] = ranks * weight
            target_squares[replicate, target] = np.dot(weighted[target], ranks)
        for variable in range(variables):
            ranks = centred_ranks(orders[variable], starts[variable], weight, total)
            squares[replicate, variable] = np.dot(ranks * weight, ranks)
            products[replicate, variable] = np.dot(weighted, ranks)
    return products, squares, target_squares
