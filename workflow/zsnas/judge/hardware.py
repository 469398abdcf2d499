"""The hardware table: how each proxy goes with a device's cost, and with truth among architectures of equal cost.

A proxy that follows latency finds large networks, which are often the accurate ones. Under a budget that is of no use:
what counts is whether it still ranks architectures once their cost is held fixed, the partial correlation.
"""

import numpy as np
import pandas as pd
from numba import njit, prange

from .population import known_alike, mean_score, populations
from .statistics import interval, sample_weights

COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy", "n", "classes"],
    *["cost_spearman", "cost_low", "cost_high"],
    *["truth_spearman", "truth_low", "truth_high"],
    *["partial_spearman", "partial_low", "partial_high"],
]


def hardware_table(study, truths, proxies, replicates=1000, seed=0):
    """Spearman's rho of every proxy with cost and with truth, and with truth given cost, for every device.

    All three are over the ``n`` architectures (``classes`` canonical networks) that have truth, cost and score in every
    seed; the score is the mean over seeds. The partial correlation is that of ranks: (pt - pc tc) / sqrt((1 - pc^2)
    (1 - tc^2)), with p, t and c for proxy, truth and cost; NaN where ranks by proxy or truth are those by cost.
    Intervals are 95 % percentiles over replicates with the canonical network as sampling unit. Where a space and task
    has no truth, only what goes with cost is told.
    """
    rows = []
    for population in populations(study, truths, proxies, without_truth=True):
        costs = {key: cost for key, cost in population.costs.items() if np.isfinite(cost).any()}
        correlations = correlations_by_cost(population, costs, replicates, seed)
        for (kind, device), cost in costs.items():
            cell = population.space, population.task, population.name, device, kind
            for proxy in population.scores:
                considered = np.isfinite(mean_score(population, proxy)) & np.isfinite(cost)
                values = correlations.get((proxy, kind, device), np.full((3, 1), np.nan))
                classes = len(set(population.canonical[considered]))
                bounds = [bound for replicated in values for bound in interval(replicated)]
                rows.append((*cell, proxy, int(considered.sum()), classes, *bounds))
    return pd.DataFrame(rows, columns=COLUMNS)


def correlations_by_cost(population, costs, replicates, seed):
    """With cost, with truth, and partial: (3, 1 + replicates) by proxy and cost, the plain sample first.

    Proxies and costs known for the same architectures share the draws and the ranks.
    """
    scores = {proxy: mean_score(population, proxy) for proxy in population.scores}
    correlations = {}
    for scored, names in known_alike(scores):
        for priced, keys in known_alike(costs):
            considered = scored & priced
            if not considered.any():
                continue
            weights = sample_weights(population.canonical[considered].astype(str), replicates, seed)
            targets = np.array([population.truth[considered], *(costs[key][considered] for key in keys)])
            rho = rank_correlations(np.array([scores[name][considered] for name in names]), targets, weights)
            truth_cost = rank_correlations(targets[1:], targets[:1], weights)[:, :, 0]
            if not population.name:  # ranks of no truth
                rho[:, :, 0] = truth_cost[:] = np.nan
            for at, name in enumerate(names):
                for place, key in enumerate(keys):
                    pair = rho[:, at, 1 + place], rho[:, at, 0]
                    correlations[name, *key] = np.array([*pair, partial(*pair, truth_cost[:, place])])
    return correlations


def partial(proxy_cost, proxy_truth, truth_cost):
    """Correlation of proxy and truth given cost, from the three correlations of pairs; NaN where cost says it all."""
    scale = (1 - proxy_cost**2) * (1 - truth_cost**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Ranks that are the cost's own leave nothing but rounding errors.
        return np.where(scale > 1e-12, (proxy_truth - proxy_cost * truth_cost) / np.sqrt(scale), np.nan)


def rank_correlations(values, targets, weights):
    """Spearman's rho of every row of ``values`` (v, n) with every row of ``targets`` (t, n).

    An item counts as often as its ``weight`` says, a whole number (replicates, n). Returns (replicates, v, t), NaN
    where a row is constant. Unlike `statistics.rank_correlations` it takes many targets and no cuts.
    """
    products, value_squares, target_squares = rank_products(*sorted_groups(values), *sorted_groups(targets), weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return products / np.sqrt(value_squares[:, :, None] * target_squares[:, None, :])


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

    All are sums of whole numbers and exact in float64, so equal orders give exactly 1.
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
