"""The regret table: how far a proxy's choices are from the best under tight and under loose budgets."""

import numpy as np
import pandas as pd
from numba import njit, prange

from .pareto import priority
from .population import known_alike, mean_scores, populations
from .statistics import interval, sample_weights

# Shares of the architectures that are within a budget, by what such budgets are called.
BUDGETS = {
    "tight": (0.05, 0.1, 0.15, 0.2, 0.25),
    "middle": (0.4, 0.45, 0.5, 0.55, 0.6),
    "loose": (0.75, 0.8, 0.85, 0.9, 0.95),
}
COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy", "budgets", "least", "most", "n"],
    *["regret", "regret_low", "regret_high", "blind_regret", "gain", "gain_low", "gain_high"],
]


def regret_table(study, truths, proxies, replicates=1000, seed=0):
    """Mean regret of every proxy over the budgets of `BUDGETS`, for every device and kind of cost.

    At each budget the proxy takes the architecture it ranks first within it; regret is the best truth within the budget
    minus that of the choice, and ``blind_regret`` what a choice without any score has on average. ``gain`` is how much
    of the way from the blind choice to the best the proxy goes, 1 - regret / blind_regret: 1 is the best possible, 0 is
    chance, below 0 it misleads. ``least`` and ``most`` are the first and last budget, in ms or mJ. Only architectures
    with truth, cost and score in every seed count, ``n`` of them; a proxy with none has empty rows. Intervals are 95 %
    percentiles over replicates with the canonical network as sampling unit; budgets are the same in all of them.
    """
    rows = []
    for population in populations(study, truths, proxies):
        scores = mean_scores(population)
        for (kind, device), cost in population.costs.items():
            if not np.isfinite(cost).any():
                continue
            key = population.space, population.task, population.name, device, kind
            rows += [(*key, *row) for row in regrets_by_proxy(population, cost, scores, replicates, seed)]
    return pd.DataFrame(rows, columns=COLUMNS)


def regrets_by_proxy(population, cost, scores, replicates, seed):
    """The columns from ``proxy`` on; proxies with scores for the same architectures share draws and budgets."""
    alike = known_alike(scores, np.isfinite(cost))
    for considered, names in alike:
        weights = sample_weights(population.canonical[considered].astype(str), replicates, seed)
        priorities = np.array([priority(scores[name][considered]) for name in names])
        for budgets, quantiles in BUDGETS.items():
            limits = np.quantile(cost[considered], quantiles)
            regrets = budget_regrets(cost[considered], population.truth[considered], priorities, weights, limits)
            *regrets, blind = regrets.mean(axis=1)
            for name, regret in zip(names, regrets):
                facts = name, budgets, limits[0], limits[-1], int(considered.sum())
                with np.errstate(invalid="ignore", divide="ignore"):
                    gain = np.where(blind > 0, 1 - regret / blind, np.nan)
                yield *facts, *interval(regret), blind[0], *interval(gain)
    judged = {name for _, names in alike for name in names}
    for name in scores:
        if name not in judged:
            yield from ((name, budgets, np.nan, np.nan, 0, *[np.nan] * 7) for budgets in BUDGETS)


def budget_regrets(cost, truth, priorities, weights, limits):
    """Regret (1 + p, budgets, replicates) of what ``priorities`` (p, n) take within each limit; last that of any.

    ``weights`` are (replicates, n); NaN where nothing within a limit is drawn.
    """
    order = np.argsort(cost, kind="stable")
    stops = np.searchsorted(cost[order], limits, side="right")
    return walk(priorities[:, order], truth[order], np.take(weights, order, axis=1), stops)


@njit(nogil=True, parallel=True, cache=True)
def walk(priorities, truth, weights, stops):
    """The loop of `budget_regrets`, with all arrays ordered by cost and budgets given by ``stops``, ascending."""
    proxies, replicates = len(priorities), len(weights)
    regrets = np.full((proxies + 1, len(stops), replicates), np.nan)
    for replicate in prange(replicates):
        drawn = weights[replicate]
        best = np.full(len(stops), np.nan)
        reached, total, count, start = -np.inf, 0.0, 0, 0
        for budget in range(len(stops)):
            for item in range(start, stops[budget]):
                if drawn[item] > 0:
                    reached = max(reached, truth[item])
                    total += drawn[item] * truth[item]
                    count += drawn[item]
            start = stops[budget]
            if count > 0:
                best[budget] = reached
                regrets[proxies, budget, replicate] = reached - total / count
        for proxy in range(proxies):
            rank = priorities[proxy]
            preferred, chosen, start = -1, -1, 0
            for budget in range(len(stops)):
                for item in range(start, stops[budget]):
                    if rank[item] > preferred and drawn[item] > 0:
                        preferred, chosen = rank[item], item
                start = stops[budget]
                if chosen >= 0:
                    regrets[proxy, budget, replicate] = best[budget] - truth[chosen]
    return regrets
