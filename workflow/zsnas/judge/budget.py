"""The budget table: the architecture that each proxy would take within a budget of latency or energy."""

import numpy as np
import pandas as pd

from .population import mean_scores, populations
from .selection import first_choice

BUDGETS = (0.1, 0.25, 0.5, 0.75, 1.0)  # quantiles of the cost
COLUMNS = [
    *["space", "task", "truth", "device", "cost", "proxy", "budget"],
    *["chosen_arch", "accuracy", "best_accuracy", "regret", "rank"],
]


def budget_table(study, truths, proxies):
    """The architecture each proxy ranks first within a budget, for every device and kind of cost, and what it is worth.

    Budgets are quantiles of the cost over the architectures that should have a score; the column holds the cost itself,
    in ms or mJ. The other columns are as in `selection_table`, over the architectures within the budget.
    """
    rows = []
    for population in populations(study, truths, proxies):
        scores = mean_scores(population)
        for (kind, device), cost in population.costs.items():
            key = population.space, population.task, population.name, device, kind
            for proxy, score in scores.items():
                candidates = np.flatnonzero(population.due[proxy] & np.isfinite(cost))
                if not len(candidates):
                    continue
                for budget in np.quantile(cost[candidates], BUDGETS):
                    arch, _, *worth = first_choice(population, score, candidates[cost[candidates] <= budget])
                    rows.append((*key, proxy, budget, arch, *worth))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"rank": "Int64"})
