"""The rows that enter a table: one space, task and truth at a time, everything turned so that larger is better.

Rows stand in the order of the blake2b hash of their names. Wherever scores tie, the first row wins, so this order is
the tie rule: the same for every proxy, and blind to size, depth and the order in which a benchmark lists its members.
"""

from collections import defaultdict
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from zsnas.devices import COSTS


class Population(NamedTuple):
    """Architectures of one space and task that have one truth.

    ``metric`` says what the truth is, such as accuracy. ``sign`` is -1 where the truth as published is better when
    smaller: ``sign * truth`` is the published value. ``scores`` are (seeds, n), NaN where failed; ``due`` tells where a
    proxy should have a score. ``costs`` keep their unit.
    """

    space: str
    task: str
    name: str
    metric: str
    sign: int
    arch: np.ndarray
    canonical: np.ndarray
    reachable: np.ndarray
    connected: np.ndarray
    sampled: np.ndarray
    truth: np.ndarray
    scores: dict[str, np.ndarray]
    due: dict[str, np.ndarray]
    costs: dict[tuple[str, str], np.ndarray]


def neutral_order(names):
    """Positions that sort ``names`` by their blake2b hash."""
    return np.argsort(np.array([blake2b(str(name).encode(), digest_size=16).hexdigest() for name in names], dtype=str))


def populations(study, truths, proxies, without_truth=False):
    """Yield a `Population`, with the control ``oracle`` added, for every space, task and truth that ``study`` has.

    ``without_truth`` also yields those of spaces and tasks that have none: ``truth`` is NaN, its name and metric are
    empty, and there is no oracle. ``truths`` maps columns, named ``{metric}_{truth}``, to whether larger is better,
    ``proxies`` maps names to objects with ``larger_is_better`` and ``everywhere``.
    """
    for (space, task), of_task in study.groupby(["space", "task"], observed=True):
        names = of_task["arch"].unique()
        names = names[neutral_order(names)]
        seeds = np.unique(of_task["seed"])
        of_task = of_task.set_index(["seed", "arch"])
        if not of_task.index.is_unique or len(of_task) != len(seeds) * len(names):
            raise ValueError(
                f"study: {space} {task} must have every architecture once for each of the seeds {seeds.tolist()}; "
                f"found {len(of_task)} rows for {len(names)} architectures"
            )
        by_seed = [of_task.loc[seed].loc[names] for seed in seeds]
        first = by_seed[0]
        scores, due = {}, {}
        for proxy, facts in proxies.items():
            column = np.stack([rows[proxy].to_numpy(float) for rows in by_seed])
            scores[proxy] = np.where(np.isfinite(column), column if facts.larger_is_better else -column, np.nan)
            due[proxy] = np.ones(len(names), bool) if facts.everywhere else first["sampled"].to_numpy(bool)
        unjudged = Population(
            space=space,
            task=task,
            name="",
            metric="",
            sign=1,
            arch=np.asarray(names, dtype=object),
            canonical=first["canonical"].to_numpy(object),
            reachable=first["reachable"].to_numpy(bool),
            connected=first["connected"].to_numpy(bool),
            sampled=first["sampled"].to_numpy(bool),
            truth=np.full(len(names), np.nan),
            scores=scores,
            due=due,
            costs={
                (kind, column.removeprefix(f"{kind}_")): first[column].to_numpy(float)
                for kind in COSTS
                for column in first.columns
                if column.startswith(f"{kind}_")
            },
        )
        there = [column for column in truths if first[column].notna().any()]
        if without_truth and not there:
            yield unjudged
        for column in there:
            metric, _, name = column.partition("_")
            sign = 1 if truths[column] else -1
            truth = sign * first[column].to_numpy(float)
            population = unjudged._replace(
                name=name,
                metric=metric,
                sign=sign,
                truth=truth,
                scores=scores | {"oracle": np.tile(truth, (len(seeds), 1))},
                due=due | {"oracle": np.ones(len(names), bool)},
            )
            yield take(population, np.isfinite(truth))


def take(population, rows):
    """The population cut to ``rows``, a mask, positions or a slice."""
    return population._replace(
        arch=population.arch[rows],
        canonical=population.canonical[rows],
        reachable=population.reachable[rows],
        connected=population.connected[rows],
        sampled=population.sampled[rows],
        truth=population.truth[rows],
        scores={proxy: score[:, rows] for proxy, score in population.scores.items()},
        due={proxy: due[rows] for proxy, due in population.due.items()},
        costs={cost: values[rows] for cost, values in population.costs.items()},
    )


def candidates(population):
    """Which architectures (n,) proxies of all kinds are compared on, and choices within budgets are judged on.

    Those that are connected, of the sample where there is one: the best and the blind choice must not depend on who
    chooses, and a cell whose output does not depend on its input is no choice that anybody would make.
    """
    return population.connected & (population.sampled if population.sampled.any() else True)


def whole_and_sampled(population):
    """Rows of the sets ``all`` (a slice, which copies nothing) and ``sampled`` (a mask (n,)), by name, in this order.

    ``sampled`` holds the `candidates` of the sample; it is left out where there is no sample and where these are all.
    """
    among = candidates(population)
    sampled = {"sampled": among} if population.sampled.any() and not among.all() else {}
    return {"all": slice(None)} | sampled


def members_by_cost(study, truths, proxies):
    """For every truth, device and kind of cost: these, the `candidates` that have both, and what each of them costs."""
    for population in populations(study, truths, proxies):
        for (kind, device), cost in population.costs.items():
            rows = candidates(population) & np.isfinite(cost)
            if rows.any():
                key = population.space, population.task, population.name, device, kind
                yield key, take(population, rows), cost[rows]


def mean_score(population, proxy):
    """Mean score over seeds (n,), NaN where a seed failed or no score is due.

    Taken from the first seed, so that a score all seeds share is kept to the last bit and ties stay ties.
    """
    scores = population.scores[proxy]
    return np.where(population.due[proxy], scores[0] + (scores - scores[0]).mean(axis=0), np.nan)


def mean_scores(population):
    """`mean_score` of every proxy, by name."""
    return {proxy: mean_score(population, proxy) for proxy in population.scores}


def known_alike(columns, among=True):
    """Names of ``columns`` (name: (n,)) that are finite at the same rows, as pairs (rows, names) where there are any.

    ``among`` is a mask of the rows that count.
    """
    alike = defaultdict(list)
    for name, values in columns.items():
        alike[(np.isfinite(values) & among).tobytes()].append(name)
    return [(rows, names) for known, names in alike.items() if (rows := np.frombuffer(known, bool)).any()]


def networks(population):
    """One row per canonical network: mean truth and score of its architectures, NaN if one of them failed."""
    canonical, first, member = np.unique(population.canonical.astype(str), return_index=True, return_inverse=True)
    count = np.bincount(member)

    def mean(values):
        """What all members share is kept to the last bit, and what are whole numbers add up to it: ties stay ties."""
        alike = np.bincount(member, values != values[first][member]) == 0
        return np.where(alike, values[first], np.bincount(member, values) / count)

    def some(flags):
        return np.bincount(member, flags) > 0

    # Truths are published with a few decimals: means that are equal on paper must be equal here.
    truth = np.round(mean(population.truth), 9)
    scores = {proxy: np.stack([mean(row) for row in score]) for proxy, score in population.scores.items()}
    merged = population._replace(
        arch=canonical.astype(object),
        canonical=canonical.astype(object),
        reachable=some(population.reachable),
        connected=some(population.connected),
        sampled=some(population.sampled),
        truth=truth,
        scores=scores | {"oracle": np.tile(truth, (len(scores["oracle"]), 1))},
        due={proxy: some(due) for proxy, due in population.due.items()},
        costs={},
    )
    return take(merged, neutral_order(canonical))


def sets(population):
    """The sets that correlations and choices are reported for, by name.

    In ``all``, ``reachable`` and ``unique`` a structural proxy is judged on every architecture and a data-driven one on
    the sample. ``sampled`` holds the `candidates` for both, so that they compare; it is left out where these are all.
    """
    sets = {"all": population, "reachable": take(population, population.reachable), "unique": networks(population)}
    return sets | {name: take(population, rows) for name, rows in whole_and_sampled(population).items()}
