"""Search a space with every proxy within a latency budget, on tables: `python -m zsnas.search`.

Scores and latencies are known, so a search costs nothing but its own steps, and what it finds can be compared with the
best there is. Three algorithms look for networks of a high score, none of them sees the truth:

* `random`: draws among the architectures within the budget;
* `evolution`: regularised evolution (Real et al., AAAI 2019, arXiv:1802.01548) among these;
* `nsga2`: NSGA-II (Deb et al., 2002; pymoo's) with two aims, a high score and a low latency, without a budget;
* `exhaustive`, for comparison, scores all that is within the budget.

An evaluation is the scoring of one distinct canonical network; that a network is too slow is known before it is scored.
After a number of evaluations the search takes what it scored highest within the budget. `regret` is how far that is
below the best there, by truth; `hypervolume_ratio` is the area under the front that the scores trace among the networks
evaluated, over that under the true front, from the dearest network within the budget and the worst accuracy there.
`scored` is how many evaluations there really were: a search that meets few new networks ends early.

What an algorithm changes are the space's `genes`. Of architectures without score or latency it sees nothing: where one
would come next, the nearest of the others is taken, so that a sample can be searched too.
"""

import argparse

import numba
import numpy as np
import pandas as pd
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.core.repair import Repair
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.ux import UX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.sampling.rnd import IntegerRandomSampling

from zsnas import errors, registry
from zsnas.files import read_provenance, write_parquet
from zsnas.judge.pareto import hypervolumes, priority
from zsnas.judge.population import candidates, known_alike, mean_scores, populations, take
from zsnas.judge.regret import BUDGETS as BUDGETS_OF_REGRETS
from zsnas.randomness import derive_seed

# A search has one budget of each kind: the middle one of those that the regret table averages over.
BUDGETS = {name: BUDGETS_OF_REGRETS[name][2] for name in ("tight", "loose")}
SEEDS = 20
POPULATION = 50
TOURNAMENT = 10
STEPS_PER_EVALUATION = 5  # a search that meets few new networks ends


class Pool:
    """Architectures that a search may look at: `genes` (n, g), and the number of each one's `network` (n,)."""

    def __init__(self, genes, network):
        self.genes = genes
        self.network = network
        self._rows = {own.tobytes(): row for row, own in enumerate(genes)}
        self._neighbours = {}

    def neighbours(self, row):
        """Rows that differ from a row in the fewest genes: where all architectures are there, in one."""
        if row not in self._neighbours:
            apart = (self.genes != self.genes[row]).sum(axis=1)
            apart[row] = self.genes.shape[1] + 1
            self._neighbours[row] = np.flatnonzero(apart == apart.min())
        return self._neighbours[row]

    def nearest(self, genes, rng):
        """The row that has these genes (g,), or one of those that differ from them in the fewest."""
        row = self._rows.get(genes.tobytes())
        if row is None:
            apart = (self.genes != genes).sum(axis=1)
            row = rng.choice(np.flatnonzero(apart == apart.min()))
        return row


class Evaluated:
    """Rows in the order in which a search evaluates them, until `evaluations` distinct networks, all or its steps."""

    def __init__(self, network, evaluations):
        self.network = network
        self.goal = min(evaluations, len(np.unique(network)))
        self.steps = STEPS_PER_EVALUATION * evaluations
        self.seen = {}  # row: how many distinct networks with it
        self._networks = set()

    def add(self, rows):
        for row in rows:
            self.steps -= 1
            if row not in self.seen and not self.complete:
                self._networks.add(self.network[row])
                self.seen[row] = len(self._networks)

    @property
    def complete(self):
        return len(self._networks) >= self.goal or self.steps <= 0


def random(pool, score, cost, evaluated, rng):
    evaluated.add(rng.permutation(len(score)))


def evolution(pool, score, cost, evaluated, rng):
    """The oldest member dies; the best of a few drawn at random gives a child that differs in one gene."""
    members = list(rng.permutation(len(score))[:POPULATION])
    evaluated.add(members)
    while not evaluated.complete:
        drawn = [members[place] for place in rng.integers(len(members), size=TOURNAMENT)]
        neighbours = pool.neighbours(max(drawn, key=score.__getitem__))
        child = neighbours[rng.integers(len(neighbours))]
        evaluated.add([child])
        members = [*members[1:], child]


def nsga2(pool, score, cost, evaluated, rng):
    """Uniform crossover and polynomial mutation, as pymoo has them, rounded to the nearest architecture."""

    class Search(Problem):
        def __init__(self):
            least, most = pool.genes.min(axis=0), pool.genes.max(axis=0)
            super().__init__(n_var=len(least), n_obj=2, xl=least, xu=most, vtype=int)

        def _evaluate(self, genes, out, *args, **kwargs):
            rows = [pool.nearest(own, rng) for own in genes.astype(int)]
            evaluated.add(rows)
            out["F"] = np.column_stack([-score[rows], cost[rows]])

    class Known(Repair):
        def _do(self, problem, genes, **kwargs):
            return pool.genes[[pool.nearest(own, rng) for own in np.round(genes).astype(int)]]

    algorithm = NSGA2(POPULATION, sampling=IntegerRandomSampling(), crossover=UX(), mutation=PM(), repair=Known())
    # Without a termination pymoo would stop where the front settles, with evaluations left.
    algorithm.setup(Search(), termination=NoTermination(), seed=int(rng.integers(2**31)))
    while not evaluated.complete and algorithm.has_next():
        algorithm.next()


def run(algorithm, pool, score, cost, evaluations, *key):
    """What a search evaluates, for each of SEEDS; key: what its randomness depends on beside the seed."""
    runs = []
    for seed in range(SEEDS):
        evaluated = Evaluated(pool.network, evaluations)
        rng = np.random.default_rng(derive_seed(seed, algorithm.__name__, *key))
        algorithm(pool, score, cost, evaluated, rng)
        runs.append(evaluated.seen)
    return runs


def regret_and_hypervolume(seen, score, cost, truth, moments):
    """Regret and hypervolume ratio (seeds, moments) of what was seen within a budget by numbers of evaluations.

    seen: of each seed, {row: evaluations with it}. Where nothing within the budget was seen, the worst there counts.
    """
    rank = priority(score)
    best = hypervolumes(cost, truth, priority(truth)[None], np.ones((1, len(score)), np.int16))[0, 0]
    corners = cost.argmax(), truth.argmin()  # never drawn, they keep the reference point where it is
    regret, ratio = np.full((2, len(seen), len(moments)), np.nan)
    for seed, counts in enumerate(seen):
        rows = np.array([*counts, *corners])
        drawn = np.array([*counts.values(), np.inf, np.inf]) <= np.array(moments)[:, None]
        chosen = rows[np.where(drawn, rank[rows], -1).argmax(axis=1)]
        regret[seed] = truth.max() - np.where(drawn.any(axis=1), truth[chosen], truth.min())
        if best > 0:
            volumes = hypervolumes(cost[rows], truth[rows], rank[rows][None], drawn.astype(np.int16))
            ratio[seed] = volumes[0] / best
    return regret, ratio


def searches(genes, network, cost, truth, scores, evaluations, *key):
    """Frame of all algorithms, budgets and seeds, for every proxy of `scores` (name: (n,)); arrays are (n, ...)."""
    frames = []
    whole = Pool(genes, network)
    limits = {name: np.quantile(cost, share) for name, share in BUDGETS.items()}
    within = {name: np.flatnonzero(cost <= limit) for name, limit in limits.items()}
    pools = {name: Pool(genes[rows], network[rows]) for name, rows in within.items()}
    for proxy, score in scores.items():
        free = run(nsga2, whole, score, cost, evaluations, proxy, *key)
        for budgets, rows in within.items():
            pool, inside = pools[budgets], {row: place for place, row in enumerate(rows)}
            known = score[rows], cost[rows]
            everything = len(np.unique(pool.network))
            runs = {
                "exhaustive": [dict.fromkeys(range(len(rows)), everything)],
                "random": run(random, pool, *known, evaluations, proxy, budgets, *key),
                "evolution": run(evolution, pool, *known, evaluations, proxy, budgets, *key),
                "nsga2": [{inside[row]: at for row, at in seen.items() if row in inside} for seen in free],
            }
            for algorithm, seen in runs.items():
                most = len(np.unique(network)) if algorithm == "nsga2" else everything
                moments = [everything] if algorithm == "exhaustive" else moments_until(min(evaluations, most))
                ends = [max(counts.values()) for counts in (free if algorithm == "nsga2" else seen)]
                regret, ratio = regret_and_hypervolume(seen, *known, truth[rows], moments)
                places = pd.MultiIndex.from_product([range(len(seen)), moments], names=["seed", "evaluations"])
                measures = {"scored": np.minimum.outer(ends, moments), "regret": regret, "hypervolume_ratio": ratio}
                columns = {name: values.ravel() for name, values in measures.items()}
                frame = pd.DataFrame(columns, index=places).reset_index()
                facts = {"proxy": proxy, "budgets": budgets, "budget_ms": limits[budgets], "algorithm": algorithm}
                frames.append(frame.assign(**facts, n=len(rows)))
    return pd.concat(frames)


def moments_until(most):
    """10, 20, 50, 100, ... and the last evaluation, at which a search is looked at."""
    steps = [factor * 10**power for power in range(1, 6) for factor in (1, 2, 5)]
    return [*(step for step in steps if step < most), most]


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.search", description="Search a space with every proxy.")
    for option in ("study", "architectures", "space", "output"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--proxies", nargs="+", required=True)
    parser.add_argument("--evaluations", type=int, required=True, help="distinct networks that a search may score")
    arguments = parser.parse_args()
    numba.set_num_threads(1)  # fronts this short are not worth sharing
    table = pd.read_parquet(arguments.architectures).set_index("arch", drop=False)
    proxies = {name: registry.proxies()[name] for name in arguments.proxies}
    frames = []
    for population in populations(
        pd.read_parquet(arguments.study), read_provenance(arguments.study)["truths"], proxies
    ):
        population = take(population, candidates(population))
        genes = registry.load_space(arguments.space).genes(table.loc[population.arch]).astype(int)
        network = np.unique(population.canonical.astype(str), return_inverse=True)[1]
        scores = mean_scores(population)
        for (kind, device), cost in population.costs.items():
            if kind != "latency_ms":
                continue
            key = {"space": population.space, "task": population.task, "truth": population.name, "device": device}
            for rows, names in known_alike(scores, np.isfinite(cost)):
                known = {name: scores[name][rows] for name in names}
                arrays = genes[rows], network[rows], cost[rows], population.truth[rows]
                frames.append(searches(*arrays, known, arguments.evaluations, *key.values()).assign(**key))
    write_parquet(pd.concat(frames, ignore_index=True), arguments.output)


if __name__ == "__main__":
    errors.run(main)
