"""The Pareto table: how much of the trade-off between cost and truth a proxy finds.

For every budget a proxy takes the architecture it ranks first among those within the budget. As the budget grows from
the cheapest to the dearest architecture, its choices trace a front, whose hypervolume is compared with the true one's.
"""

import numpy as np
import pandas as pd
from numba import njit, prange

from .population import known_alike, mean_scores, populations
from .statistics import interval, sample_weights

COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy"],
    *["n", "hypervolume_ratio", "hypervolume_low", "hypervolume_high"],
]


def pareto_table(study, truths, proxies, replicates=1000, seed=0):
    """Hypervolume of the front each proxy traces over that of the true Pareto front, for every device and kind of cost.

    Only architectures with truth, cost and score in every seed count, ``n`` of them; the score is the mean over seeds.
    The reference point is their worst cost and worst truth, the same in all replicates. Intervals are 95 % percentiles
    over replicates with the canonical network as sampling unit; a front is made of extremes, so they lean towards small
    ratios of small samples. The oracle reaches exactly 1.
    """
    rows = []
    for population in populations(study, truths, proxies):
        scores = mean_scores(population)
        for (kind, device), cost in population.costs.items():
            if not np.isfinite(cost).any():
                continue
            key = population.space, population.task, population.name, device, kind
            ratios = hypervolume_ratios(population, cost, scores, replicates, seed)
            for proxy in scores:
                n, values = ratios.get(proxy, (0, np.full(1, np.nan)))
                rows.append((*key, proxy, n, *interval(values)))
    return pd.DataFrame(rows, columns=COLUMNS)


def hypervolume_ratios(population, cost, scores, replicates, seed):
    """By proxy, how many architectures count and the ratios (1 + replicates,), the plain sample first.

    Proxies with scores for the same architectures share the draws and the true front.
    """
    ratios = {}
    for considered, names in known_alike(scores, np.isfinite(cost)):
        weights = sample_weights(population.canonical[considered].astype(str), replicates, seed)
        truth = population.truth[considered]
        priorities = np.array([priority(score) for score in [truth, *(scores[name][considered] for name in names)]])
        volumes = hypervolumes(cost[considered], truth, priorities, weights)
        with np.errstate(invalid="ignore"):
            ratios |= {name: (len(truth), volumes[at] / volumes[0]) for at, name in enumerate(names, start=1)}
    return ratios


def priority(score):
    """Rank of every row (n,), the largest for the row to take first; of equal scores the first row."""
    rank = np.empty(len(score), np.int64)
    rank[np.lexsort((-np.arange(len(score)), score))] = np.arange(len(score))
    return rank


def hypervolumes(cost, accuracy, priorities, weights):
    """Hypervolumes (p, replicates) of the fronts that ``priorities`` (p, n) trace among the rows drawn by ``weights``.

    ``weights`` are (replicates, n). The reference point is the worst cost and accuracy of all n rows.
    """
    orders = np.array([np.lexsort((-ranked, cost)) for ranked in priorities])
    return trace(orders, np.take_along_axis(priorities, orders, axis=1), cost, accuracy, weights)


@njit(nogil=True, parallel=True, cache=True)
def trace(orders, priorities, cost, accuracy, weights):
    """The loop of `hypervolumes`: ``orders`` by cost, at equal cost preferred first; ``priorities`` in that order."""
    replicates = len(weights)
    worst_cost, worst_accuracy = cost.max(), accuracy.min()
    volumes = np.zeros((len(orders), replicates))
    for task in prange(len(orders) * replicates):
        proxy, replicate = task // replicates, task % replicates
        order, rank, drawn = orders[proxy], priorities[proxy], weights[replicate]
        preferred, reached, since, volume = -1, worst_accuracy, worst_cost, 0.0
        for position in range(len(order)):
            if rank[position] <= preferred:  # nearly always, so the draw is seldom looked up
                continue
            row = order[position]
            if drawn[row] == 0:
                continue
            preferred = rank[position]
            if accuracy[row] > reached:
                volume += (reached - worst_accuracy) * (cost[row] - since)
                reached, since = accuracy[row], cost[row]
        volumes[proxy, replicate] = volume + (reached - worst_accuracy) * (worst_cost - since)
    return volumes


def traced_front(cost, score, accuracy):
    """Positions of the architectures ``score`` picks as the budget grows, without those dominated by an earlier pick.

    Of equal scores the first row is picked.
    """
    rank = priority(score)
    by_cost = np.lexsort((-rank, cost))
    picks = by_cost[rank[by_cost] == np.maximum.accumulate(rank[by_cost])]
    reached = np.maximum.accumulate(accuracy[picks])
    return picks[np.append(True, reached[1:] > reached[:-1])]


def true_front(cost, accuracy):
    """Positions of the Pareto-optimal architectures, from the cheapest to the dearest; of equal ones the first."""
    return traced_front(cost, accuracy, accuracy)
