"""The hardware table: how each proxy goes with a device's cost, and with truth among architectures of equal cost.

A proxy that follows latency finds large networks, which are often the accurate ones. Under a budget that is of no use:
what counts is whether it still ranks architectures once their cost is held fixed, the partial correlation.
"""

import numpy as np
import pandas as pd

from .population import known_alike, mean_scores, populations, take, whole_and_sampled
from .spearman import partial, spearmans
from .statistics import interval, sample_weights

COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy", "set", "n", "classes"],
    *["cost_spearman", "cost_low", "cost_high"],
    *["truth_spearman", "truth_low", "truth_high"],
    *["partial_spearman", "partial_low", "partial_high"],
]


def hardware_table(study, truths, proxies, replicates=1000, seed=0):
    """Spearman's rho of every proxy with cost and with truth, and with truth given cost, for every device.

    All three are over the ``n`` architectures (``classes`` canonical networks) that have truth, cost and score in every
    seed; the score is the mean over seeds. The partial correlation is that of ranks: (pt - pc tc) / sqrt((1 - pc^2)
    (1 - tc^2)), with p, t and c for proxy, truth and cost; NaN where ranks by proxy or truth are those by cost. In the
    set ``sampled`` proxies of all kinds stand on the `candidates`.
    Intervals are 95 % percentiles over replicates with the canonical network as sampling unit. Where a space and task
    has no truth, only what goes with cost is told.
    """
    rows = []
    for population in populations(study, truths, proxies, without_truth=True):
        for name, members in whole_and_sampled(population).items():
            rows += correlations_of_set(take(population, members), name, replicates, seed)
    return pd.DataFrame(rows, columns=COLUMNS)


def correlations_of_set(population, name, replicates, seed):
    """Rows of the table, of the set `name`."""
    costs = {key: cost for key, cost in population.costs.items() if np.isfinite(cost).any()}
    scores = mean_scores(population)
    correlations = correlations_by_cost(population, scores, costs, replicates, seed)
    for (kind, device), cost in costs.items():
        key = population.space, population.task, population.name, device, kind
        for proxy, score in scores.items():
            considered = np.isfinite(score) & np.isfinite(cost)
            values = correlations.get((proxy, kind, device), np.full((3, 1), np.nan))
            classes = len(set(population.canonical[considered]))
            bounds = [bound for replicated in values for bound in interval(replicated)]
            yield *key, proxy, name, int(considered.sum()), classes, *bounds


def correlations_by_cost(population, scores, costs, replicates, seed):
    """With cost, with truth, and partial: (3, 1 + replicates) by proxy and cost, the plain sample first.

    Proxies and costs known for the same architectures share the draws and the ranks.
    """
    correlations = {}
    for scored, names in known_alike(scores):
        for priced, keys in known_alike(costs):
            considered = scored & priced
            if not considered.any():
                continue
            weights = sample_weights(population.canonical[considered].astype(str), replicates, seed)
            targets = np.array([population.truth[considered], *(costs[key][considered] for key in keys)])
            rho = spearmans(np.array([scores[name][considered] for name in names]), targets, weights)
            truth_cost = spearmans(targets[1:], targets[:1], weights)[:, :, 0]
            if not population.name:  # ranks of no truth
                rho[:, :, 0] = truth_cost[:] = np.nan
            for at, name in enumerate(names):
                for place, key in enumerate(keys):
                    pair = rho[:, at, 1 + place], rho[:, at, 0]
                    correlations[name, *key] = np.array([*pair, partial(*pair, truth_cost[:, place])])
    return correlations
