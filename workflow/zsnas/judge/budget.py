"""The budget table: the architecture that each proxy would take within a budget of latency or energy."""

import numpy as np
import pandas as pd

from .population import candidates, mean_scores, populations, take
from .selection import first_choice

BUDGETS = (0.1, 0.25, 0.5, 0.75, 1.0)  # quantiles of the cost
COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy", "budget"],
    *["chosen_arch", "accuracy", "best_accuracy", "regret", "rank"],
]


def budget_table(study, truths, proxies):
    """The architecture each proxy ranks first within a budget, for every device and kind of cost, and what it is worth.

    Budgets are quantiles of the cost over the `candidates`; the column holds the cost itself, in ms or mJ. The other
    columns are as in `selection_table`, over the candidates within the budget.
    """
    rows = []
    for population in populations(study, truths, proxies):
        population = take(population, candidates(population))
        scores = mean_scores(population)
        for (kind, device), cost in population.costs.items():
            if not np.isfinite(cost).any():
                continue
            key = population.space, population.task, population.name, device, kind
            for proxy, score in scores.items():
                for budget in np.quantile(cost[np.isfinite(cost)], BUDGETS):
                    arch, _, *worth = first_choice(population, score, np.flatnonzero(cost <= budget))
                    rows.append((*key, proxy, budget, arch, *worth))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"rank": "Int64"})
