"""Traced fronts, hypervolumes and budgets against brute force over every budget."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_study import PROXIES, choices

from zsnas.judge import budget_table, pareto_table, regret_table
from zsnas.judge.pareto import hypervolumes, priority, traced_front, true_front
from zsnas.judge.statistics import bootstrap_weights


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


def test_pareto_table_equals_brute_force_and_brackets_it(device_study):
    table = pareto_table(device_study, {"accuracy_test": True}, PROXIES, replicates=100)
    assert table.columns.tolist() == [
        *["space", "task", "truth", "device", "cost", "proxy", "n"],
        *["hypervolume_ratio", "hypervolume_low", "hypervolume_high"],
    ]
    assert set(zip(table["cost"], table["device"], strict=True)) == {("latency_ms", "phone"), ("energy_mj", "edge_gpu")}
    for row in table.itertuples():
        rows = choices(device_study, row)
        cost, score, accuracy = rows["cost"].to_numpy(), rows["score"].to_numpy(), rows["accuracy_test"].to_numpy()
        reference = cost.max(), accuracy.min()
        known = np.flatnonzero(np.isfinite(score))
        chosen = known[picks(cost[known], score[known])]
        ratio = area(cost[chosen], accuracy[chosen], *reference) / area(cost, accuracy, *reference)
        assert (row.n, row.hypervolume_ratio) == (len(known), pytest.approx(ratio))
        assert row.hypervolume_low <= row.hypervolume_high <= 1
    oracle = table[table["proxy"] == "oracle"]
    assert (oracle[["hypervolume_ratio", "hypervolume_low", "hypervolume_high"]] == 1).all(axis=None)


def test_pareto_interval_resamples_networks(device_study):
    """The interval is that of the ratios over cluster draws, recomputed here by brute force."""
    table = pareto_table(device_study, {"accuracy_test": True}, PROXIES, replicates=30, seed=4)
    row = table[(table["proxy"] == "good") & (table["device"] == "phone")].iloc[0]
    rows = choices(device_study, row)
    cost, score, accuracy = rows["cost"].to_numpy(), rows["score"].to_numpy(), rows["accuracy_test"].to_numpy()
    ratios = []
    for weight in bootstrap_weights(rows["canonical"].to_numpy(str), 30, seed=4):
        drawn = np.flatnonzero(weight)
        known = drawn[np.isfinite(score[drawn])]
        chosen = known[picks(cost[known], score[known])]
        reference = cost.max(), accuracy.min()
        ratios.append(area(cost[chosen], accuracy[chosen], *reference) / area(cost[drawn], accuracy[drawn], *reference))
    assert [row["hypervolume_low"], row["hypervolume_high"]] == pytest.approx(np.percentile(ratios, [2.5, 97.5]))


def test_budget_table_picks_within_the_budget(device_study):
    table = budget_table(device_study, {"accuracy_test": True}, PROXIES)
    assert ", ".join(table.columns) == (
        "space, task, truth, device, cost, proxy, budget, chosen_arch, accuracy, best_accuracy, regret, rank"
    )
    for row in table.itertuples():
        within = choices(device_study, row).query("cost <= @row.budget").set_index("arch")
        assert row.chosen_arch == within["score"].idxmax()
        assert row.accuracy == within.loc[row.chosen_arch, "accuracy_test"]
        assert row.best_accuracy == within["accuracy_test"].max()
        assert row.regret == row.best_accuracy - row.accuracy
        assert row.rank == 1 + (within["accuracy_test"] > row.accuracy).sum()
    assert (table.loc[table["proxy"] == "oracle", "regret"] == 0).all()
    good = table[(table["proxy"] == "good") & (table["device"] == "phone")]
    costs = choices(device_study, good.iloc[0]).cost
    np.testing.assert_allclose(good["budget"], costs.quantile([0.1, 0.25, 0.5, 0.75, 1.0]))


def test_what_choices_are_among_does_not_depend_on_who_chooses(device_study):
    """A proxy that is known everywhere is judged like one of a sample, some of whose scores failed."""
    for table in (pareto_table, budget_table, regret_table):
        options = {} if table is budget_table else {"replicates": 20}
        of_all = table(device_study, {"accuracy_test": True}, PROXIES, **options)
        of_sample = table(device_study.query("sampled and connected"), {"accuracy_test": True}, PROXIES, **options)
        pd.testing.assert_frame_equal(of_all, of_sample)
    yardsticks = of_all.groupby(["device", "budgets"])[["least", "most", "blind_regret"]].nunique()  # of regrets
    assert (yardsticks == 1).all(axis=None)


def test_without_a_sample_choices_are_among_all(device_study):
    frame = device_study.assign(sampled=False, good=np.nan)
    table = pareto_table(frame, {"accuracy_test": True}, PROXIES, replicates=5).set_index(["device", "proxy"])
    assert table.n["phone", "depth"] == (frame.connected & (frame.seed == 0)).sum()
    assert table.n["phone", "good"] == 0 and np.isnan(table.hypervolume_ratio["phone", "good"])


def test_a_study_without_devices_has_empty_tables(device_study):
    device_study = device_study.drop(columns=["latency_ms_phone", "latency_ms_absent", "energy_mj_edge_gpu"])
    assert pareto_table(device_study, {"accuracy_test": True}, PROXIES).empty
    assert budget_table(device_study, {"accuracy_test": True}, PROXIES).empty
