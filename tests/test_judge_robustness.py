"""Tables that compare a second look with the first: another truth, and another measurement of the same networks."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from toy_study import PROXIES

from zsnas.judge import repeatability_table, robustness_table
from zsnas.repeat import repeated


@pytest.fixture
def two_truths(device_study):
    """A second truth, known for most architectures: the first with noise that the proxy `good` does not know."""
    by_arch = device_study.drop_duplicates("arch").set_index("arch").accuracy_test
    noisy = by_arch + np.random.default_rng(5).normal(size=len(by_arch))
    return device_study.assign(accuracy_noisy=device_study.arch.map(noisy.where(np.arange(len(noisy)) % 10 > 0)))


def test_robustness_table(two_truths):
    truths = {"accuracy_noisy": True, "accuracy_test": True}  # files keep them by name: columns tell which is first
    table = robustness_table(two_truths, truths, PROXIES, replicates=60)
    assert set(table.reference) == {"test"} and set(table.truth) == {"noisy"}
    known = two_truths[two_truths.seed == 0].set_index("arch").assign(good=two_truths.groupby("arch").good.mean())
    known = known.dropna(subset=["good", "accuracy_noisy"])
    good = table.query("proxy == 'good' and set == 'all'").squeeze()
    assert good.n == len(known) and good.classes == known.canonical.nunique()
    first, second = (spearmanr(known.good, known[truth]).statistic for truth in ("accuracy_test", "accuracy_noisy"))
    assert (good.reference_spearman, good.spearman, good.change) == pytest.approx((first, second, second - first))
    assert good.change_low <= good.change <= good.change_high
    # Both correlations come from the same draws, so their difference is known better than either of them.
    assert good.change_high - good.change_low < good.spearman_high - good.spearman_low
    oracle = table.query("proxy == 'oracle' and set == 'all'").squeeze()
    assert oracle.reference_spearman == 1 and np.isnan(oracle.partial_spearman)
    both = two_truths[two_truths.seed == 0].dropna(subset="accuracy_noisy")
    assert oracle.spearman == pytest.approx(spearmanr(both.accuracy_test, both.accuracy_noisy).statistic)


def test_what_a_proxy_knows_beyond_the_reference(device_study):
    """The second truth is the first plus what `extra` says: its partial correlation is high, that of chance is not."""
    rng = np.random.default_rng(1)
    extra, chance = rng.normal(size=(2, len(device_study)))
    frame = device_study.assign(good=extra, constant=chance, accuracy_noisy=device_study.accuracy_test + extra)
    truths = {"accuracy_test": True, "accuracy_noisy": True}
    table = robustness_table(frame, truths, PROXIES, replicates=60).query("set == 'all'").set_index("proxy")
    assert table.partial_spearman_low["good"] > 0.3
    assert abs(table.partial_spearman["constant"]) < 0.3


def test_one_truth_compares_with_nothing(device_study):
    assert robustness_table(device_study, {"accuracy_test": True}, PROXIES, replicates=5).empty


def test_sessions_side_by_side_and_their_agreement():
    rng = np.random.default_rng(0)
    names, true = [f"c{i}" for i in range(120)], rng.uniform(1, 5, 120)
    frames = []
    for slow in (1, 1.3):
        found = true * rng.normal(1, 0.01, 120)
        frames.append(pd.DataFrame({"canonical": names, "latency_ms": found, "latency_raw_ms": slow * found}))
    frames[1].loc[3, "latency_ms"] = np.nan  # a disconnected network has none
    both = repeated(frames[0], frames[1].sample(100, random_state=0))
    assert 99 <= len(both) <= 100 and set(both.canonical) < set(names)
    cell = {"space": "s", "task": "t", "device": "d"}
    (row,) = repeatability_table(both.assign(**cell), replicates=100).itertuples()
    assert row.n == len(both)
    assert row.spearman == pytest.approx(spearmanr(both.latency_ms, both.again_latency_ms).statistic)
    assert 0.98 < row.spearman_low < row.spearman < row.spearman_high < 1
    assert 0.3 < row.apart_low < row.apart < row.apart_high < 2 and row.slowdown == pytest.approx(1.3, abs=0.01)
    # Networks measured in no relation to the first time agree by chance only.
    shuffled = both.assign(**cell, again_latency_ms=rng.permutation(both.again_latency_ms))
    (row,) = repeatability_table(shuffled, replicates=100).itertuples()
    assert abs(row.spearman) < 0.3 and row.apart > 20
