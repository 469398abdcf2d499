"""The budget table: the architecture that each proxy would take within a budget of latency or energy."""

import numpy as np
import pandas as pd

from .population import mean_scores, members_by_cost
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
    for key, members, cost in members_by_cost(study, truths, proxies):
        limits = np.quantile(cost, BUDGETS)
        for proxy, score in mean_scores(members).items():
            for limit in limits:
                arch, _, *worth = first_choice(members, score, np.flatnonzero(cost <= limit))
                rows.append((*key, proxy, limit, arch, *worth))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"rank": "Int64"})
