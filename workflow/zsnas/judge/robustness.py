"""The robustness table: which proxies still rank networks once the truth is another, such as that of noisy hardware.

Of a task's truths the one that the config names first, for whatever task, is the reference, such as accuracy in digital
arithmetic; each other one is compared with it on the same architectures, in the same draws.
"""

from itertools import groupby

import numpy as np
import pandas as pd

from .population import known_alike, mean_scores, populations, take, whole_and_sampled
from .spearman import partial, spearmans
from .statistics import interval, sample_weights

MEASURES = ("reference_spearman", "spearman", "change", "partial_spearman")
COLUMNS = ["space", "task", "reference", "truth", "proxy", "set", "n", "classes"]
COLUMNS += [f"{measure}{end}" for measure in MEASURES for end in ("", "_low", "_high")]


def robustness_table(study, truths, proxies, replicates=1000, seed=0):
    """Spearman's rho of every proxy with the reference truth and with each other one, and how the two differ.

    ``change`` is the second minus the first; ``partial_spearman`` what the proxy knows of the other truth beyond the
    reference, ranks by it held fixed. The control ``oracle`` is the reference itself: how far even a score that knew it
    would get. All are over the ``n`` architectures (``classes`` canonical networks) that have both truths and a score
    in every seed; the score is the mean over seeds. In the set ``sampled`` all stand on the `candidates`.
    Intervals are 95 % percentiles over replicates with the canonical network as sampling unit.
    """
    truths = {column: truths[column] for column in study if column in truths}  # the first one is the reference
    rows = []
    for key, of_task in groupby(populations(study, truths, proxies), lambda one: (one.space, one.task)):
        reference, *others = of_task
        for other in others:
            both = take(reference, np.isin(reference.arch, other.arch))
            truth = other.truth[np.isin(other.arch, reference.arch)]
            for name, members in whole_and_sampled(both).items():
                compared = comparisons(take(both, members), truth[members], replicates, seed)
                rows += [(*key, reference.name, other.name, proxy, name, *values) for proxy, *values in compared]
    return pd.DataFrame(rows, columns=COLUMNS)


def comparisons(population, truth, replicates, seed):
    """The columns from ``proxy`` on without ``set``; ``truth`` (n,) is the other one of the same architectures."""
    scores = mean_scores(population)
    yield from ((name, 0, 0, *[np.nan] * 12) for name, score in scores.items() if not np.isfinite(score).any())
    for scored, names in known_alike(scores):
        weights = sample_weights(population.canonical[scored].astype(str), replicates, seed)
        targets = np.array([population.truth[scored], truth[scored]])
        rho = spearmans(np.array([scores[name][scored] for name in names]), targets, weights)
        of_truths = spearmans(targets[:1], targets[1:], weights)[:, 0, 0]
        classes = len(set(population.canonical[scored]))
        for name, (first, second) in zip(names, rho.transpose(1, 2, 0)):
            values = first, second, second - first, partial(first, second, of_truths)
            yield name, int(scored.sum()), classes, *(end for value in values for end in interval(value))
