"""What proxies are worth on a device: correlations given cost, regret within budgets, and the summary of both."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from toy_study import PROXIES, choices, considered

from zsnas.judge import hardware_table, pareto_table, regret_table, trust_table
from zsnas.judge.regret import BUDGETS, budget_regrets
from zsnas.judge.spearman import partial, spearmans
from zsnas.judge.statistics import bootstrap_weights

TRUTHS = {"accuracy_test": True}


@given(st.integers(0, 2**32), st.integers(2, 20), st.sampled_from([2, 4, 1000]))
@settings(max_examples=40, deadline=None)
def test_weighted_correlations_equal_those_of_repeated_rows(seed, n, values):
    rng = np.random.default_rng(seed)
    scores, targets = rng.integers(0, values, (3, n)).astype(float), rng.integers(0, values, (2, n)).astype(float)
    weights = rng.integers(0, 3, (5, n)).astype(np.int16)
    for weight, rho in zip(weights, spearmans(scores, targets, weights), strict=True):
        for score, row in zip(scores, rho, strict=True):
            for target, value in zip(targets, row, strict=True):
                x, y = np.repeat(score, weight), np.repeat(target, weight)
                if len(set(x)) < 2 or len(set(y)) < 2:
                    assert np.isnan(value)
                else:
                    assert value == pytest.approx(spearmanr(x, y).statistic)


def test_partial_correlation_is_that_of_residuals():
    """Among ranks, what is left of proxy and truth when the part that is linear in cost is taken out."""
    rng = np.random.default_rng(0)
    cost, proxy, truth = np.argsort(rng.normal(size=(3, 50)), axis=1).argsort(axis=1).astype(float)
    proxy, truth = (np.argsort(values + cost).argsort() for values in (proxy, truth))
    residuals = [values - np.polyval(np.polyfit(cost, values, 1), cost) for values in (proxy, truth)]
    pairs = (np.corrcoef(*pair)[0, 1] for pair in ((proxy, cost), (proxy, truth), (truth, cost)))
    assert partial(*pairs) == pytest.approx(np.corrcoef(*residuals)[0, 1])
    assert np.isnan(partial(np.float64(1), np.float64(0.5), np.float64(0.5)))


def test_without_truth_the_hardware_table_tells_what_goes_with_cost(device_study):
    key = ["device", "proxy", "set"]
    with_truth = hardware_table(device_study, TRUTHS, PROXIES, replicates=20).set_index(key)
    # Truths that other spaces of the study have are empty columns here.
    table = hardware_table(device_study.assign(accuracy_test=np.nan), TRUTHS, PROXIES, replicates=20)
    assert set(table.truth) == {""} and "oracle" not in set(table.proxy)
    rows = table.set_index(key)
    np.testing.assert_array_equal(rows.cost_spearman.isna(), rows.index.get_level_values("proxy") == "constant")
    assert rows[["truth_spearman", "truth_low", "partial_spearman", "partial_high"]].isna().all(axis=None)
    assert (rows.n >= with_truth.n[rows.index]).all()
    everywhere = rows.n == with_truth.n[rows.index]  # where truth was known wherever cost is
    pd.testing.assert_series_equal(rows.cost_spearman[everywhere], with_truth.cost_spearman[rows.index][everywhere])


def test_hardware_table(device_study):
    table = hardware_table(device_study, TRUTHS, PROXIES, replicates=50)
    assert set(zip(table.cost, table.device, strict=True)) == {("latency_ms", "phone"), ("energy_mj", "edge_gpu")}
    assert (table.groupby(["cost", "device", "proxy"]).set.agg(list).map(tuple) == ("all", "sampled")).all()
    for row in table[table.proxy != "constant"].itertuples():
        rows = considered(device_study, row)
        assert (row.n, row.classes) == (len(rows), rows.canonical.nunique())
        assert row.cost_spearman == pytest.approx(spearmanr(rows.score, rows.cost).statistic)
        assert row.truth_spearman == pytest.approx(spearmanr(rows.score, rows.accuracy_test).statistic)
        assert row.partial_low <= row.partial_spearman <= row.partial_high
    oracle = table[table.proxy == "oracle"]
    assert (oracle[["truth_spearman", "truth_low", "truth_high"]] == 1).all(axis=None)
    np.testing.assert_allclose(oracle[["partial_spearman", "partial_low", "partial_high"]], 1)
    assert table[table.proxy == "constant"].partial_spearman.isna().all()
    # Cost follows quality here: `good` knows of quality beyond what cost tells.
    good = table.query("proxy == 'good' and device == 'phone' and set == 'all'").squeeze()
    assert 0 < good.partial_low < good.partial_spearman < good.truth_spearman


def test_hardware_intervals_resample_networks(device_study):
    table = hardware_table(device_study, TRUTHS, PROXIES, replicates=40, seed=3)
    row = table.query("proxy == 'good' and device == 'phone' and set == 'sampled'").squeeze()
    rows = considered(device_study, row)
    values = []
    for weight in bootstrap_weights(rows.canonical.to_numpy(str), 40, seed=3):
        values.append(spearmanr(np.repeat(rows.score, weight), np.repeat(rows.cost, weight)).statistic)
    assert [row.cost_low, row.cost_high] == pytest.approx(np.percentile(values, [2.5, 97.5]))


@given(st.integers(0, 2**32), st.integers(1, 15), st.sampled_from([2, 5, 1000]))
@settings(max_examples=60, deadline=None)
def test_regrets_equal_brute_force(seed, n, values):
    rng = np.random.default_rng(seed)
    cost, truth = rng.integers(0, values, (2, n)).astype(float)
    priorities = np.array([rng.permutation(n), rng.permutation(n)])
    weights = rng.integers(0, 3, (6, n)).astype(np.int16)
    limits = np.sort(rng.choice(cost, 3))
    regrets = budget_regrets(cost, truth, priorities, weights, limits)
    for (row, budget, replicate), regret in np.ndenumerate(regrets):
        within = np.flatnonzero((cost <= limits[budget]) & (weights[replicate] > 0))
        if not len(within):
            assert np.isnan(regret)
        elif row == len(priorities):
            mean = np.average(truth[within], weights=weights[replicate][within])
            assert regret == pytest.approx(truth[within].max() - mean)
        else:
            choice = within[np.argmax(priorities[row][within])]
            assert regret == truth[within].max() - truth[choice]


def test_regret_table(device_study):
    table = regret_table(device_study, TRUTHS, PROXIES, replicates=50)
    cells = table.groupby(["device", "cost", "proxy"]).budgets.agg(list)
    assert cells.tolist() == [list(BUDGETS)] * 2 * 4
    for row in table.itertuples():
        rows = choices(device_study, row)
        assert row.n == rows.score.notna().sum()
        limits = rows.cost.quantile(BUDGETS[row.budgets])
        assert (row.least, row.most) == pytest.approx((limits.iloc[0], limits.iloc[-1]))
        regrets, blind = [], []
        for limit in limits:
            within = rows[rows.cost <= limit].reset_index()
            regrets.append(within.accuracy_test.max() - within.accuracy_test[within.score.idxmax()])
            blind.append(within.accuracy_test.max() - within.accuracy_test.mean())
        assert row.regret == pytest.approx(np.mean(regrets)) and row.blind_regret == pytest.approx(np.mean(blind))
        assert row.gain == pytest.approx(1 - np.mean(regrets) / np.mean(blind))
        assert row.gain_low <= row.gain_high <= 1
    oracle = table[table.proxy == "oracle"]
    assert (oracle[["regret", "regret_low", "regret_high"]] == 0).all(axis=None)
    assert (oracle[["gain", "gain_low", "gain_high"]] == 1).all(axis=None)


def test_few_networks_give_no_interval(device_study):
    """Else draws of one or two networks would make noise certain of everything."""
    few = device_study.query("connected and sampled").drop_duplicates(["seed", "canonical"])
    for networks, certain in ((22, True), (14, False)):
        kept = few[few.canonical.isin(few.canonical.unique()[:networks])]
        table = regret_table(kept, TRUTHS, PROXIES, replicates=30).query("device == 'phone' and proxy == 'depth'")
        table = table.set_index("budgets")
        assert table.gain.notna().all() and table.gain_low.notna()["loose"]
        assert table[["gain_low", "regret_high"]].notna().all(axis=1)["tight"] == certain


def test_nothing_to_choose_is_no_gain(device_study):
    cheap = device_study.latency_ms_phone <= device_study.latency_ms_phone.quantile(0.3)
    frame = device_study.assign(good=device_study.good.where(~cheap))
    table = regret_table(frame, TRUTHS, PROXIES, replicates=20).query("device == 'phone' and proxy == 'good'")
    assert table.gain.isna().tolist() == [budgets == "tight" for budgets in table.budgets]


def test_trust_is_the_worst_of_all_tasks(device_study):
    # On a second task the proxy `good` says the opposite of the truth, and nothing but the oracle may be trusted.
    other = device_study.assign(task="cifar100", accuracy_test=10 - device_study.accuracy_test)
    studies = {"one": device_study, "two": pd.concat([device_study, other])}
    trust = {}
    for name, frame in studies.items():
        tables = [
            table(frame, TRUTHS, PROXIES, replicates=30) for table in (regret_table, hardware_table, pareto_table)
        ]
        trust[name] = trust_table(*tables).set_index(["proxy", "device"])
        assert (trust[name].trust["oracle"] == "all").all() and (trust[name].trust["constant"] == "none").all()
        assert (trust[name].loc["oracle", ["tight_gain", "loose_low", "hypervolume_ratio"]] == 1).all(axis=None)
    one, two = (trust[name].loc["good", "phone"] for name in ("one", "two"))
    assert (one.worst_of, two.worst_of) == (1, 2)
    assert one.trust != "none" and two.trust == "none"
    assert two.loose_gain < 0 < one.loose_gain and two.partial_spearman < 0 < one.partial_spearman
    # Its columns are of the same architectures, also where a proxy has a score of others.
    sampled = tables[1].query("proxy == 'depth' and device == 'phone' and set == 'sampled'")
    depth = trust["two"].loc["depth", "phone"]
    assert (depth.n, depth.partial_spearman) == (sampled.n.min(), sampled.partial_spearman.min())
    regrets = regret_table(studies["two"], TRUTHS, PROXIES, replicates=30)
    worst = regrets.query("proxy == 'good' and device == 'phone' and budgets == 'tight'")
    assert two.tight_gain == worst.gain.min() and two.tight_low == worst.gain_low.min()


def test_a_task_without_a_truth_leaves_trust_as_it_is(device_study):
    trust = []
    for frame in (device_study, pd.concat([device_study, device_study.assign(task="cifar100", accuracy_test=np.nan)])):
        hardware = hardware_table(frame, TRUTHS, PROXIES, replicates=30)
        others = [table(frame, TRUTHS, PROXIES, replicates=30) for table in (regret_table, pareto_table)]
        trust.append(trust_table(others[0], hardware, others[1]))
    assert (hardware.truth == "").any() and trust[0].partial_spearman.notna().any()
    pd.testing.assert_frame_equal(*trust)


def test_a_proxy_without_a_score_on_one_task_is_not_trusted(device_study):
    other = device_study.assign(task="cifar100", good=np.nan)
    frame = pd.concat([device_study, other])
    tables = [table(frame, TRUTHS, PROXIES, replicates=30) for table in (regret_table, hardware_table, pareto_table)]
    empty = tables[0].query("proxy == 'good' and task == 'cifar100'")
    assert len(empty) == 2 * len(BUDGETS) and (empty.n == 0).all() and empty[["regret", "gain"]].isna().all(axis=None)
    good = trust_table(*tables).set_index(["proxy", "device"]).loc["good"]
    assert (good.trust == "none").all() and (good.worst_of == 2).all() and (good.n == 0).all()


def test_trust_names_the_budgets_it_holds_for():
    cells = {"space": "s", "device": "d", "cost": "latency_ms", "task": "t", "truth": "a"}
    lows = {"a": (0.9, 0.6, 0.9), "b": (0.9, 0.1, 0.5), "c": (np.nan, 0.9, 0.51), "d": (0.1, 0.9, 0.2)}
    regret = pd.DataFrame(
        [
            cells | {"proxy": proxy, "budgets": budgets, "gain": low + 0.05, "gain_low": low}
            for proxy, values in lows.items()
            for budgets, low in zip(BUDGETS, values, strict=True)
        ]
    )
    correlation = {"set": "all", "partial_spearman": 0.5, "partial_low": 0.4}
    hardware = pd.DataFrame([cells | {"proxy": p, **correlation} for p in lows])
    pareto = pd.DataFrame([cells | {"proxy": p, "hypervolume_ratio": 0.9, "n": 5} for p in lows])
    table = trust_table(regret, hardware, pareto)
    assert dict(zip(table.proxy, table.trust, strict=True)) == {"a": "all", "b": "tight", "c": "loose", "d": "none"}
    unclear = regret.proxy.eq("a") & regret.budgets.eq("tight")  # one task more, on which that gain is undefined
    more = regret.assign(task="u")
    more.loc[unclear, ["gain", "gain_low"]] = np.nan
    table = trust_table(pd.concat([regret, more]), hardware, pareto).set_index("proxy")
    assert table.trust.to_dict() == {"a": "loose", "b": "tight", "c": "loose", "d": "none"}
    assert (table.worst_of == 2).all() and np.isnan(table.tight_gain["a"]) and table.loose_low["a"] == 0.9
