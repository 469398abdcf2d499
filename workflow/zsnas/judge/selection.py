"""The selection table: what one gets by taking the architecture a proxy ranks first, without any budget."""

import numpy as np
import pandas as pd

from .population import mean_score, populations, sets

COLUMNS = [
    *["space", "task", "truth", "proxy", "set"],
    *["chosen_arch", "ties", "accuracy", "best_accuracy", "regret", "rank"],
]


def selection_table(study, truths, proxies):
    """The architecture each proxy ranks first, and what it is worth.

    The score is the mean over seeds; an architecture that failed in one seed cannot be chosen. Of ``ties``
    architectures that share the best score, the one whose name has the smallest blake2b hash is taken.
    ``best_accuracy`` and ``rank`` (1 plus the number with strictly better truth) are over all architectures that should
    have a score, failed ones included. In the set ``unique`` the chosen architecture is named by its canonical network.
    A proxy without any score has a row with nothing chosen.
    """
    rows = [
        (population.space, population.task, population.name, proxy, set_name)
        + first_choice(members, mean_score(members, proxy), np.flatnonzero(members.due[proxy]))
        for population in populations(study, truths, proxies)
        for set_name, members in sets(population).items()
        for proxy in members.scores
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"rank": "Int64"})


def first_choice(members, score, rows):
    """What ``score`` (n,) puts first among ``rows``: its name, ties, accuracy, the best accuracy, regret and rank."""
    if np.isnan(score[rows]).all():
        return None, 0, np.nan, np.nan, np.nan, None
    chosen = rows[np.nanargmax(score[rows])]
    truth, best = members.truth[chosen], members.truth[rows].max()
    ties = int((score[rows] == score[chosen]).sum())
    rank = 1 + int((members.truth[rows] > truth).sum())
    return members.arch[chosen], ties, members.sign * truth, members.sign * best, best - truth, rank
