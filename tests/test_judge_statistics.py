"""The kernels against scipy on samples with every item repeated, and the bootstrap and the null against simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from zsnas.judge.statistics import bootstrap_weights, interval, kept_by_truth, rank_correlations, truncated_normal_tau


def repeated(x, y, weight):
    """Kendall and Spearman by scipy with each item repeated; NaN where one side is constant."""
    x, y = np.repeat(x, weight), np.repeat(y, weight)
    if len(np.unique(x)) < 2 or len(np.unique(y)) < 2:
        return np.nan, np.nan
    return kendalltau(x, y).statistic, spearmanr(x, y).statistic


@st.composite
def samples(draw):
    """Scores (2, n) and truth from few or many distinct values, weights (r, n) that may vanish."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = draw(st.sampled_from([1, 2, 4, 1000]))
    scores = rng.integers(-values, values, (2, n)).astype(float)
    truth = rng.integers(0, draw(st.sampled_from([1, 3, 1000])), n) / 7
    return (
        scores,
        truth,
        rng.poisson(draw(st.sampled_from([0.3, 1, 3])), (draw(st.integers(1, 35)), n)).astype(np.int16),
    )


@given(samples(), st.sampled_from([(1.0,), (1.0, 0.5, 0.2, 0.05), (0.1, 0.7)]))
@settings(max_examples=60, deadline=None)
def test_correlations_equal_scipy_on_the_repeated_and_cut_sample(sample, tops):
    scores, truth, weights = sample
    found = rank_correlations(scores, truth, weights, tops)
    for at, top in enumerate(tops):
        kept = kept_by_truth(truth, weights, top)
        wanted = np.array([[repeated(score, truth, weight) for weight in kept] for score in scores])
        np.testing.assert_allclose(found[:, :, at], np.moveaxis(wanted, 2, 0), atol=1e-12)


def test_correlations_of_a_large_sample_equal_scipy():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 20000))
    y = np.round(y + x, 1)
    found = rank_correlations([x], y, np.full((1, 20000), 3, np.int16))
    np.testing.assert_allclose(found[:, 0, 0, 0], repeated(x, y, 3), rtol=1e-12)


@given(samples(), st.sampled_from([1.0, 0.5, 0.1]))
@settings(max_examples=30, deadline=None)
def test_kept_by_truth_is_the_smallest_tie_closed_top(sample, top):
    _, truth, weights = sample
    for weight, kept in zip(weights, kept_by_truth(truth, weights, top), strict=True):
        drawn = np.sort(np.repeat(truth, weight))[::-1]
        threshold = drawn[int(np.ceil(round(top * len(drawn), 9))) - 1] if len(drawn) else np.inf
        np.testing.assert_array_equal(kept, np.where(truth >= threshold, weight, 0))


def test_bootstrap_draws_whole_clusters():
    clusters = np.array(["b", "a", "b", "c", "a", "b"])
    weights = bootstrap_weights(clusters, 4000, seed=0)
    _, first, member = np.unique(clusters, return_index=True, return_inverse=True)
    assert (weights == weights[:, first][:, member]).all()
    assert (weights[:, first].sum(axis=1) == 3).all()
    np.testing.assert_allclose(weights[:, first].var(axis=0), 2 / 3, atol=0.06)
    np.testing.assert_array_equal(weights, bootstrap_weights(clusters, 4000, seed=0))


def test_cluster_intervals_cover_and_single_items_do_not():
    """Networks of five architectures that share score and truth: drawing single architectures claims far too much."""
    rng = np.random.default_rng(0)
    truth_tau, covered, width = 2 / np.pi * np.arcsin(0.5), np.zeros(2), np.zeros(2)
    for _ in range(100):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 60).T
        member = np.repeat(np.arange(60), 5)
        for at, clusters in enumerate([member, np.arange(300)]):
            weights = bootstrap_weights(clusters, 192, seed=at)
            kendall = rank_correlations([x[member]], y[member], weights)[0, 0, 0]
            low, high = np.percentile(kendall, [2.5, 97.5])
            covered[at] += low <= truth_tau <= high
            width[at] += high - low
    assert covered[0] >= 88 and covered[1] <= 75
    assert width[0] > 1.7 * width[1]


def test_interval_leaves_out_undefined_replicates():
    assert interval(np.array([0.5, np.nan, 0.25, 0.25])) == (0.5, 0.25, 0.25)
    assert np.isnan(interval(np.array([0.5, np.nan]))[1:]).all()
    assert np.isnan(interval(np.array([np.nan, 0.25, 0.5]))).all()


@pytest.mark.parametrize("tau", [-0.6, 0.0, 0.2, 0.5, 0.8, 0.95])
def test_null_equals_a_direct_simulation(tau):
    rho, rng = np.sin(np.pi * tau / 2), np.random.default_rng(0)
    y = rng.normal(size=400_000)
    x = rho * y + np.sqrt(1 - rho**2) * rng.normal(size=len(y))
    for top in (0.5, 0.2, 0.05):
        kept = y >= np.quantile(y, 1 - top)
        assert truncated_normal_tau(tau, top) == pytest.approx(kendalltau(x[kept], y[kept]).statistic, abs=0.01)


@pytest.mark.parametrize("tau", [-1.0, -0.3, 0.0, 0.6, 0.99, 1.0])
def test_null_without_a_cut_is_tau_itself(tau):
    assert truncated_normal_tau(tau, 1) == pytest.approx(tau, abs=1e-3)


def test_null_of_a_perfect_pair_stays_perfect():
    assert truncated_normal_tau(1.0, 0.05) == pytest.approx(1)
