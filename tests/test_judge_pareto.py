"""Traced fronts, hypervolumes and budgets against brute force over every budget."""

from hashlib import blake2b
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsnas.judge import budget_table, pareto_table
from zsnas.judge.pareto import hypervolumes, priority, traced_front, true_front
from zsnas.judge.statistics import bootstrap_weights

PROXIES = {
    "good": SimpleNamespace(larger_is_better=True, everywhere=False),
    "depth": SimpleNamespace(larger_is_better=False, everywhere=True),
    "constant": SimpleNamespace(larger_is_better=True, everywhere=True),
}


def area(cost, accuracy, worst_cost, worst_accuracy):
    """Area dominated by the points, cell by cell of the grid they span."""
    xs, ys = np.unique([*cost, worst_cost]), np.unique([*accuracy, worst_accuracy])
    return sum(
        (right - left) * (high - low)
        for left, right in zip(xs, xs[1:], strict=False)
        for low, high in zip(ys, ys[1:], strict=False)
        if ((cost <= left) & (accuracy >= high)).any()
    )


def picks(cost, score):
    """What the score puts first within each budget, first row at ties."""
    chosen = set()
    for budget in np.unique(cost):
        within = np.flatnonzero(cost <= budget)
        chosen.add(within[np.argmax(score[within])])
    return np.array(sorted(chosen))


@st.composite
def trades(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, values = draw(st.integers(1, 14)), draw(st.sampled_from([2, 5, 1000]))
    return rng.integers(1, 1 + values, (3, n)).astype(float)


@given(trades())
@settings(max_examples=80, deadline=None)
def test_fronts_and_hypervolumes_equal_brute_force(trade):
    cost, score, accuracy = trade
    chosen = picks(cost, score)
    front = traced_front(cost, score, accuracy)
    assert set(front) <= set(chosen)
    assert (np.diff(cost[front]) > 0).all() and (np.diff(accuracy[front]) > 0).all()
    reference = cost.max(), accuracy.min()
    wanted = area(cost[chosen], accuracy[chosen], *reference)
    assert area(cost[front], accuracy[front], *reference) == pytest.approx(wanted)
    weights = np.random.default_rng(0).integers(0, 2, (20, len(cost)), np.int16)
    weights[0] = 1
    volumes = hypervolumes(cost, accuracy, np.array([priority(score)]), weights)[0]
    assert volumes[0] == pytest.approx(wanted)
    for weight, volume in zip(weights[1:], volumes[1:], strict=True):
        drawn = np.flatnonzero(weight)
        chosen = drawn[picks(cost[drawn], score[drawn])] if len(drawn) else drawn
        assert volume == pytest.approx(area(cost[chosen], accuracy[chosen], *reference))


@given(trades())
@settings(max_examples=50, deadline=None)
def test_true_front_is_what_nothing_dominates(trade):
    cost, _, accuracy = trade
    dominated = [
        ((cost <= c) & (accuracy >= a) & ((cost < c) | (accuracy > a))).any()
        for c, a in zip(cost, accuracy, strict=True)
    ]
    optimal = {(c, a) for c, a, worse in zip(cost, accuracy, dominated, strict=True) if not worse}
    front = true_front(cost, accuracy)
    assert {(cost[i], accuracy[i]) for i in front} == optimal and len(front) == len(optimal)


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(0)
    network = np.append(np.arange(80), rng.integers(0, 80, 120))
    quality = rng.normal(size=80)
    cost = np.exp(0.5 * quality + rng.normal(size=80))[network]
    frames = [
        pd.DataFrame(
            {
                "space": "toy",
                "task": "cifar10",
                "arch": [f"a{i}" for i in range(200)],
                "canonical": [f"c{i}" for i in network],
                "reachable": True,
                "seed": seed,
                "sampled": network < 60,
                "accuracy_test": quality[network] + 0.1 * rng.normal(size=200) + 5,
                "good": np.where((network < 60) & (network != 3), (quality + rng.normal(size=80))[network], np.nan),
                "depth": -np.round(quality)[network],
                "constant": 1.0,
                "latency_ms_phone": cost,
                "energy_mj_edge_gpu": np.where(network == 5, np.nan, np.round(cost)),
                "latency_ms_absent": np.nan,
            }
        )
        for seed in (0, 1)
    ]
    return pd.concat(frames, ignore_index=True)


def considered(study, row):
    """The rows of both seeds that count for a table row, in the neutral order, with `score` and `cost`."""
    first, second = (study[study["seed"] == seed].reset_index(drop=True) for seed in (0, 1))
    if row.proxy == "oracle":
        score = second["accuracy_test"] * 0 + first["accuracy_test"]
    else:
        score = (first[row.proxy] + second[row.proxy]) / 2 * (1 if PROXIES[row.proxy].larger_is_better else -1)
    rows = first.assign(score=score, cost=first[f"{row.cost}_{row.device}"]).dropna(subset=["score", "cost"])
    return rows.sort_values(
        "arch", key=lambda names: names.map(lambda name: blake2b(name.encode(), digest_size=16).hexdigest())
    )


def test_pareto_table_equals_brute_force_and_brackets_it(study):
    table = pareto_table(study, {"accuracy_test": True}, PROXIES, replicates=100)
    assert table.columns.tolist() == [
        *["space", "task", "truth", "device", "cost", "proxy", "n"],
        *["hypervolume_ratio", "hypervolume_low", "hypervolume_high"],
    ]
    assert set(zip(table["cost"], table["device"], strict=True)) == {("latency_ms", "phone"), ("energy_mj", "edge_gpu")}
    for row in table.itertuples():
        rows = considered(study, row)
        cost, score, accuracy = rows["cost"].to_numpy(), rows["score"].to_numpy(), rows["accuracy_test"].to_numpy()
        reference = cost.max(), accuracy.min()
        chosen = picks(cost, score)
        ratio = area(cost[chosen], accuracy[chosen], *reference) / area(cost, accuracy, *reference)
        assert (row.n, row.hypervolume_ratio) == (len(rows), pytest.approx(ratio))
        assert row.hypervolume_low <= row.hypervolume_high <= 1
    oracle = table[table["proxy"] == "oracle"]
    assert (oracle[["hypervolume_ratio", "hypervolume_low", "hypervolume_high"]] == 1).all(axis=None)


def test_pareto_interval_resamples_networks(study):
    """The interval is that of the ratios over cluster draws, recomputed here by brute force."""
    table = pareto_table(study, {"accuracy_test": True}, PROXIES, replicates=30, seed=4)
    row = table[(table["proxy"] == "good") & (table["device"] == "phone")].iloc[0]
    rows = considered(study, row)
    cost, score, accuracy = rows["cost"].to_numpy(), rows["score"].to_numpy(), rows["accuracy_test"].to_numpy()
    ratios = []
    for weight in bootstrap_weights(rows["canonical"].to_numpy(str), 30, seed=4):
        drawn = np.flatnonzero(weight)
        chosen = drawn[picks(cost[drawn], score[drawn])]
        reference = cost.max(), accuracy.min()
        ratios.append(area(cost[chosen], accuracy[chosen], *reference) / area(cost[drawn], accuracy[drawn], *reference))
    assert [row["hypervolume_low"], row["hypervolume_high"]] == pytest.approx(np.percentile(ratios, [2.5, 97.5]))


def test_budget_table_picks_within_the_budget(study):
    table = budget_table(study, {"accuracy_test": True}, PROXIES)
    assert ", ".join(table.columns) == (
        "space, task, truth, device, cost, proxy, budget, chosen_arch, accuracy, best_accuracy, regret, rank"
    )
    for row in table.itertuples():
        scored = considered(study, row)
        scored = scored[scored["cost"] <= row.budget].set_index("arch")
        due = study[(study["seed"] == 0) & (study["sampled"] | (row.proxy != "good"))]
        due = due[due[f"{row.cost}_{row.device}"] <= row.budget]
        assert row.chosen_arch == scored["score"].idxmax()
        assert row.accuracy == scored.loc[row.chosen_arch, "accuracy_test"]
        assert row.best_accuracy == due["accuracy_test"].max()
        assert row.regret == row.best_accuracy - row.accuracy
        assert row.rank == 1 + (due["accuracy_test"] > row.accuracy).sum()
    assert (table.loc[table["proxy"] == "oracle", "regret"] == 0).all()
    good = table[(table["proxy"] == "good") & (table["device"] == "phone")]
    costs = study.loc[(study["seed"] == 0) & study["sampled"], "latency_ms_phone"]
    np.testing.assert_allclose(good["budget"], costs.quantile([0.1, 0.25, 0.5, 0.75, 1.0]))


def test_a_study_without_devices_has_empty_tables(study):
    study = study.drop(columns=["latency_ms_phone", "latency_ms_absent", "energy_mj_edge_gpu"])
    assert pareto_table(study, {"accuracy_test": True}, PROXIES).empty
    assert budget_table(study, {"accuracy_test": True}, PROXIES).empty
