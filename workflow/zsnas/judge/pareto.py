"""The Pareto table: how much of the trade-off between cost and truth a proxy finds.

For every budget a proxy takes the architecture it ranks first among those within the budget. As the budget grows from
the cheapest to the dearest architecture, its choices trace a front, whose hypervolume is compared with the true one's.
"""

import numpy as np
import pandas as pd
from numba import njit, prange

from .population import mean_scores, members_by_cost
from .statistics import interval, sample_weights

COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy"],
    *["n", "hypervolume_ratio", "hypervolume_low", "hypervolume_high"],
]


def pareto_table(study, truths, proxies, replicates=1000, seed=0):
    """Hypervolume of the front each proxy traces over that of the true Pareto front, for every device and kind of cost.

    The fronts are of `candidates` with truth and cost, ``n`` of which have a score in every seed; the others are never
    chosen. The score is the mean over seeds. The reference point is the worst cost and the worst truth, the same in all
    replicates. Intervals are 95 % percentiles over replicates with the canonical network as sampling unit; a front is
    made of extremes, so they lean towards small ratios of small samples. The oracle reaches exactly 1, and a proxy
    without any score has no ratio.
    """
    rows = []
    for key, members, cost in members_by_cost(study, truths, proxies):
        weights = sample_weights(members.canonical.astype(str), replicates, seed)
        scores = mean_scores(members)
        priorities = np.array([priority(score) for score in (members.truth, *scores.values())])
        best, *volumes = hypervolumes(cost, members.truth, priorities, weights)
        for (proxy, score), volume in zip(scores.items(), volumes):
            n = int(np.isfinite(score).sum())
            with np.errstate(invalid="ignore"):
                ratio = volume / best if n else np.full(1, np.nan)
            rows.append((*key, proxy, n, *interval(ratio)))
    return pd.DataFrame(rows, columns=COLUMNS)


def priority(score):
    """Rank of every row (n,), the largest for the row to take first; of equal scores the first row, -1 for none."""
    rank = np.empty(len(score), np.int64)
    rank[np.lexsort((-np.arange(len(score)), score))] = np.arange(len(score))
    rank[np.isnan(score)] = -1
    return rank


def hypervolumes(cost, accuracy, priorities, weights):
    """Hypervolumes (p, replicates) of the fronts that ``priorities`` (p, n) trace among the rows drawn by ``weights``.

    ``weights`` are (replicates, n). Rows of a negative priority are not chosen. The reference point is the worst cost
    and accuracy of all n rows.
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
