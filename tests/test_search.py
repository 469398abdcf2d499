"""Searching on tables: what the algorithms may look at, how evaluations are counted, and what the tables say of it."""

import numpy as np
import pandas as pd
import pytest
import yaml
from runs import CHECKOUT

from zsnas import registry, search
from zsnas.config import check
from zsnas.errors import StudyError
from zsnas.judge import search_table
from zsnas.judge.pareto import traced_front

SEARCHABLE = [name for name, space in registry.spaces().items() if space.searchable]


@pytest.mark.parametrize("name", SEARCHABLE)
def test_genes_tell_architectures_apart(name, index_of):
    table = index_of(name)
    genes = registry.load_space(name).genes(table)
    assert genes.shape[0] == len(table) == len(np.unique(genes, axis=0)) and genes.min() == 0
    # All combinations are there, so every change of one gene leads to another architecture.
    assert np.prod(genes.max(axis=0).astype(int) + 1) == len(table)


@pytest.fixture(scope="module")
def space(index):
    """Genes, networks, a latency and an accuracy that the choice of three edges decides."""
    genes = registry.load_space("nasbench201").genes(index).astype(int)
    network = np.unique(index.canonical.astype(str), return_inverse=True)[1]
    rng = np.random.default_rng(0)
    truth = 3.0 * genes[:, 0] - genes[:, 3] + 2 * (genes[:, 5] == 2) + 0.01 * rng.random(len(genes))
    cost = 1 + genes.sum(axis=1) + rng.random(len(genes))
    return genes, network, cost, truth


def test_neighbours_differ_in_one_gene_and_the_nearest_is_itself(space):
    genes, network, *_ = space
    pool, rng = search.Pool(genes, network), np.random.default_rng(0)
    neighbours = pool.neighbours(100)
    assert len(neighbours) == 24 and ((genes[neighbours] != genes[100]).sum(axis=1) == 1).all()
    assert pool.nearest(genes[100], rng) == 100
    rest = np.delete(np.arange(len(genes)), neighbours)
    few = search.Pool(genes[rest], network[rest])
    assert ((few.genes[few.neighbours(np.flatnonzero(rest == 100)[0])] != genes[100]).sum(axis=1) == 2).all()
    assert (few.genes[few.nearest(genes[neighbours[0]], rng)] != genes[neighbours[0]]).sum() == 1


@pytest.mark.parametrize("algorithm", [search.random, search.evolution, search.nsga2])
def test_evaluations_are_distinct_networks_and_runs_repeat(space, algorithm, monkeypatch):
    genes, network, cost, truth = space
    monkeypatch.setattr(search, "SEEDS", 2)
    pool = search.Pool(genes, network)
    runs = search.run(algorithm, pool, truth, cost, 120, "key")
    assert [*runs[0].items()] == [*search.run(algorithm, pool, truth, cost, 120, "key")[0].items()]
    assert [*runs[0]] != [*runs[1]]
    for seen in runs:
        networks = network[[*seen]]
        assert len(set(networks)) == 120 == max(seen.values())
        assert [*seen.values()] == [len(set(networks[: place + 1])) for place in range(len(seen))]


def test_nsga2_does_not_stop_where_its_front_has_settled(space):
    genes, network, cost, _ = space
    depth = (genes == 2).sum(axis=1) + (genes == 3).sum(axis=1)  # seven values: all is found early
    evaluated = search.Evaluated(network, 1000)
    search.nsga2(search.Pool(genes, network), depth.astype(float), cost, evaluated, np.random.default_rng(0))
    assert evaluated.complete  # by networks or by steps


def test_a_sample_is_searched_to_its_end(space, monkeypatch):
    genes, network, cost, truth = space
    monkeypatch.setattr(search, "SEEDS", 1)
    rows = np.random.default_rng(1).choice(len(genes), 60, replace=False)
    pool = search.Pool(genes[rows], network[rows])
    everything = len(set(network[rows]))
    (seen,) = search.run(search.random, pool, truth[rows], cost[rows], 500)
    assert len(seen) >= everything == max(seen.values())
    for algorithm in (search.evolution, search.nsga2):  # they may starve, but they end
        (seen,) = search.run(algorithm, pool, truth[rows], cost[rows], 500)
        assert 0.8 * everything < max(seen.values()) <= everything


def test_judged_as_by_hand(space):
    """One search of five rows, of which the proxy prefers the fourth; and one that saw nothing within the budget."""
    *_, cost, truth = space
    rows = np.argsort(cost)[:400]
    cost, truth = cost[rows], truth[rows]
    score = -truth
    seen = {7: 1, 90: 2, 200: 2, 300: 3, 11: 4}
    regret, ratio = search.regret_and_hypervolume([seen, {}], score, cost, truth, [2, 4])
    for moment, drawn in enumerate(([7, 90, 200], [*seen])):
        chosen = min(drawn, key=lambda row: truth[row])
        assert regret[0, moment] == truth.max() - truth[chosen]
        volumes = []
        for among, by in ((np.array(drawn), score), (np.arange(400), truth)):
            front = among[traced_front(cost[among], by[among], truth[among])]
            reach = np.append(cost[front], cost.max())
            height = np.maximum.accumulate(truth[front]) - truth.min()
            volumes.append((height * np.diff(reach)).sum())
        assert ratio[0, moment] == pytest.approx(volumes[0] / volumes[1])
    assert (regret[1] == np.ptp(truth)).all() and (ratio[1] == 0).all()


def test_a_search_that_ends_early_says_how_much_it_scored(space, monkeypatch):
    """Evolution that stays at a peak meets no new networks; random draws always do."""
    genes, network, cost, truth = space
    monkeypatch.setattr(search, "SEEDS", 3)
    peak = -np.abs(genes - genes[4321]).sum(axis=1).astype(float)
    frame = search.searches(genes, network, cost, truth, {"peak": peak}, 500, "key").query("evaluations == 500")
    scored = frame.groupby("algorithm").scored
    assert (scored.get_group("random") == 500).all() and (scored.get_group("evolution") < 500).all()
    # One run of NSGA-II, which looks beyond every budget, serves all of them.
    assert (frame[frame.algorithm == "nsga2"].groupby("seed").scored.agg(set).map(len) == 1).all()


@pytest.fixture(scope="module")
def runs(space):
    genes, network, cost, truth = space
    noise = np.random.default_rng(2).random(len(truth))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "SEEDS", 5)
        frame = search.searches(genes, network, cost, truth, {"oracle": truth, "random": noise}, 200, "key")
    return frame.assign(space="nasbench201", task="cifar10", truth="test", device="d")


def test_controls(runs):
    # Scoring everything by the truth finds the best and the whole front; chance does not, however it searches.
    everything = runs.query("algorithm == 'exhaustive'").set_index("proxy")
    assert (everything.regret["oracle"] == 0).all() and (everything.hypervolume_ratio["oracle"] == 1).all()
    assert (everything.regret["random"] > 1).all()
    loose = runs.query("budgets == 'loose'").groupby(["proxy", "algorithm", "evaluations"])
    regret, ratio = loose.regret.mean(), loose.hypervolume_ratio.mean()
    # Evolution learns where the score is high, NSGA-II where the front is, beyond what as many random draws meet.
    assert regret["oracle", "evolution", 200] < regret["oracle", "random", 200]
    assert ratio["oracle", "nsga2", 200] > ratio["oracle", "random", 200]
    assert (regret["random"] > 1).all()
    # The truth's best so far never gets worse.
    of_oracle = runs[runs.proxy == "oracle"].groupby(["algorithm", "budgets", "seed"]).regret
    assert of_oracle.apply(lambda regret: regret.is_monotonic_decreasing).all()


def test_search_table(runs):
    cost = pd.DataFrame({"space": "nasbench201", "task": "cifar10", "proxy": ["random"], "seconds_per_arch": [0.5]})
    table = search_table(cost, runs, runs.assign(task="cifar100"), replicates=200)
    cells = runs.groupby(["proxy", "budgets", "algorithm", "evaluations"]).ngroups
    assert len(table) == 2 * cells
    row = table.query("task == 'cifar10' and proxy == 'random' and algorithm == 'evolution' and budgets == 'loose'")
    assert row.evaluations.tolist() == [10, 20, 50, 100, 200]
    assert row.scored.tolist()[:2] == [10, 20] and row.scored.is_monotonic_increasing
    assert (row.seconds == 0.5 * row.scored).all()
    (last,) = row[row.evaluations == 200].itertuples()
    seeds = runs.query("proxy == 'random' and algorithm == 'evolution' and budgets == 'loose' and evaluations == 200")
    assert table.n.dtype == runs.n.dtype
    assert last.scored == seeds.scored.mean() and last.seeds == 5 and last.regret == pytest.approx(seeds.regret.mean())
    assert seeds.regret.min() <= last.regret_low < last.regret < last.regret_high <= seeds.regret.max()
    assert table[table.task == "cifar100"].seconds.isna().all() and table[table.proxy == "oracle"].seconds.isna().all()


def test_what_cannot_be_searched_is_refused():
    smoke = yaml.safe_load((CHECKOUT / "config" / "smoke.yaml").read_text())
    sources = CHECKOUT / "config" / "sources.csv"
    with pytest.raises(StudyError, match="key 'search': a search needs a latency; name a device under 'devices'"):
        check(smoke | {"devices": []}, "x.yaml", sources, "data")


def test_a_space_without_genes_is_refused(shared):
    study = yaml.safe_load((CHECKOUT / "config" / "smoke.yaml").read_text())
    study["spaces"] = {"autoformer": {"architectures": 4, "tasks": {"cifar100": ["auto_prox_kd"]}}}
    study |= {"proxies": ["params"], "bundles": {}}
    with pytest.raises(StudyError, match="key 'search': autoformer has no genes to change"):
        check(study, "x.yaml", CHECKOUT / "config" / "sources.csv", shared)
