"""The regret table: how far a proxy's choices are from the best under tight and under loose budgets."""

import numpy as np
import pandas as pd
from numba import njit, prange

from .pareto import priority
from .population import mean_scores, members_by_cost
from .statistics import interval, sample_weights

# Shares of the architectures that are within a budget, by what such budgets are called.
BUDGETS = {
    "tight": (0.05, 0.1, 0.15, 0.2, 0.25),
    "middle": (0.4, 0.45, 0.5, 0.55, 0.6),
    "loose": (0.75, 0.8, 0.85, 0.9, 0.95),
}
FEWEST = 5  # networks within the last budget; of fewer a bootstrap draws too much of the same
COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy", "budgets", "least", "most", "n"],
    *["regret", "regret_low", "regret_high", "blind_regret", "gain", "gain_low", "gain_high"],
]


def regret_table(study, truths, proxies, replicates=1000, seed=0):
    """Mean regret of every proxy over the budgets of `BUDGETS`, for every device and kind of cost.

    At each budget the proxy takes the architecture it ranks first within it; regret is the best truth within the budget
    minus that of the choice, and ``blind_regret`` what a choice without any score has on average. ``gain`` is how much
    of the way from the blind choice to the best the proxy goes, 1 - regret / blind_regret: 1 is the best possible, 0
    the mean of blind choices, below 0 it misleads. ``least`` and ``most`` are the first and last budget, in ms or mJ.
    Choices are among the `candidates` with truth and cost, ``n`` of which have a score in every seed; the others count
    for budgets, best and blind choice and are never chosen. Where nothing within a budget has a score, there is no
    gain. Intervals are 95 % percentiles over replicates with the canonical network as sampling unit; budgets are the
    same in all of them. There is none where even the last budget admits fewer than `FEWEST` networks.
    """
    rows = []
    for key, members, cost in members_by_cost(study, truths, proxies):
        weights = sample_weights(members.canonical.astype(str), replicates, seed)
        scores = mean_scores(members)
        priorities = np.array([priority(score) for score in scores.values()])
        for budgets, quantiles in BUDGETS.items():
            limits = np.quantile(cost, quantiles)
            few = len(set(members.canonical[cost <= limits[-1]])) < FEWEST
            draws = weights[:1] if few else weights
            *regrets, blind = budget_regrets(cost, members.truth, priorities, draws, limits).mean(axis=1)
            for (proxy, score), regret in zip(scores.items(), regrets):
                facts = proxy, budgets, limits[0], limits[-1], int(np.isfinite(score).sum())
                with np.errstate(invalid="ignore", divide="ignore"):
                    gain = np.where(blind > 0, 1 - regret / blind, np.nan)
                rows.append((*key, *facts, *interval(regret), blind[0], *interval(gain)))
    return pd.DataFrame(rows, columns=COLUMNS)


def budget_regrets(cost, truth, priorities, weights, limits):
    """Regret (1 + p, budgets, replicates) of what ``priorities`` (p, n) take within each limit; last that of any.

    ``weights`` are (replicates, n); NaN where nothing within a limit is drawn, or nothing that may be chosen.
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
