"""The correlation table: how well each proxy ranks architectures, whether it beats the number of parameters, and what
range restriction alone would leave.
"""

from collections import defaultdict

import numpy as np
import pandas as pd

from .population import populations, sets
from .statistics import interval, kept_by_truth, rank_correlations, sample_weights, truncated_normal_tau

COLUMNS = [
    *["space", "task", "truth", "proxy", "set", "top", "n", "classes"],
    *["spearman", "spearman_low", "spearman_high", "kendall", "kendall_low", "kendall_high", "kendall_null"],
    *["margin", "margin_low", "margin_high", "seeds", "failed"],
]
BASELINE = "params"


def correlation_table(study, truths, proxies, tops=(1, 0.5, 0.2, 0.1, 0.05), replicates=1000, seed=0):
    """Spearman and Kendall (tau-b) of every proxy with every truth, by set and top fraction.

    Correlations are signed: positive means that the proxy agrees with the truth. They are computed per seed, over the
    same bootstrap draws, and averaged over the seeds that have any score; ``seeds`` counts these. Intervals are 95 %
    percentiles over replicates where the correlation exists; the canonical network is the sampling unit and the top is
    selected anew inside every replicate. Scores that failed are dropped; ``failed`` counts them in the whole set,
    whatever the top. Where seeds differ, ``n``, ``classes`` and ``failed`` are those of the seed with most failures.
    ``kendall_null`` is the tau that cutting a Gaussian pair of the set's full tau to the same top would leave;
    ``tops`` begin with 1, which has that tau. ``margin`` is tau less that of the number of parameters on the same
    architectures, in the same draws: a proxy certainly beats counting where its interval is above zero. ``proxies``
    have ``params`` among them.
    """
    rows = []
    for population in populations(study, truths, proxies):
        key = population.space, population.task, population.name
        for set_name, members in sets(population).items():
            correlations = correlations_by_seed(members, tops, replicates, seed)
            for proxy in members.scores:
                seeds = [of_seed for (name, _), of_seed in correlations.items() if name == proxy]
                for top, values in zip(tops, judged(members, proxy, seeds, tops), strict=True):
                    rows.append((*key, proxy, set_name, top, *values))
    return pd.DataFrame(rows, columns=COLUMNS)


def correlations_by_seed(members, cuts, replicates, seed):
    """Kendall, Spearman and margin (3, cuts, 1 + replicates) by proxy and seed: the plain sample first.

    Proxies that should score the same rows share the bootstrap draws, those that did score the same rows share one
    sweep, and scores that all seeds share are swept once.
    """
    batches = defaultdict(list)
    for proxy, scores in members.scores.items():
        due = members.due[proxy]
        for at, scored in enumerate(due & np.isfinite(scores)):
            if scored.any():
                batches[due.tobytes(), scored.tobytes()].append((proxy, at))
    draws = {}
    correlations = {}
    for (due, scored), keys in batches.items():
        if due not in draws:
            draws[due] = sample_weights(members.canonical[np.frombuffer(due, bool)].astype(str), replicates, seed)
        scored = np.frombuffer(scored, bool)
        of_due = scored[np.frombuffer(due, bool)]
        # Draws may be large: none is copied where all scored.
        weights = draws[due] if of_due.all() else np.compress(of_due, draws[due], axis=1)
        rows = [members.scores[proxy][at][scored] for proxy, at in keys]
        counted = members.scores[BASELINE][0][scored]
        distinct = {row.tobytes(): row for row in [*rows, counted]}
        both = rank_correlations(np.array(list(distinct.values())), members.truth[scored], weights, cuts)
        of_row = dict(zip(distinct, both.swapaxes(0, 1)))
        kendall_counted, _ = of_row[counted.tobytes()]
        for key, row in zip(keys, rows):
            kendall, spearman = of_row[row.tobytes()]
            correlations[key] = np.stack([kendall, spearman, kendall - kendall_counted])
    return correlations


def judged(members, proxy, seeds, cuts):
    """For every cut, the full set first, the columns from ``n`` on; ``seeds`` holds each seed's correlations."""
    due = members.due[proxy]
    scored = due & np.isfinite(members.scores[proxy])
    scored = scored[scored.any(axis=1)]
    if not len(scored):
        return [(0, 0, *[np.nan] * 10, 0, int(due.sum()))] * len(cuts)
    worst = scored[np.argmin(scored.sum(axis=1))]
    truth, canonical = members.truth[worst], members.canonical[worst]
    kendalls, spearmans, margins = np.mean(seeds, axis=0)
    rows = []
    for cut, kendall, spearman, margin in zip(cuts, kendalls, spearmans, margins, strict=True):
        kept = kept_by_truth(truth, np.ones((1, len(truth)), int), cut)[0] > 0
        null = kendall[0] if cut == 1 else truncated_normal_tau(kendalls[0, 0], cut)
        counts = int(kept.sum()), len(set(canonical[kept]))
        measures = *interval(spearman), *interval(kendall), null, *interval(margin)
        rows.append((*counts, *measures, len(scored), int(due.sum() - len(truth))))
    return rows
