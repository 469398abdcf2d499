"""The tables against scipy and plain pandas on a small study with planted ties, failures and directions."""

import sys
from hashlib import blake2b
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

from zsnas.judge import __main__ as judge_program
from zsnas.judge import correlation_table, cost_table, selection_table
from zsnas.judge.population import networks, populations
from zsnas.judge.statistics import truncated_normal_tau

PROXIES = {
    "good": SimpleNamespace(larger_is_better=True, everywhere=False),
    "reversed": SimpleNamespace(larger_is_better=False, everywhere=False),
    "params": SimpleNamespace(larger_is_better=True, everywhere=True),
    "random": SimpleNamespace(larger_is_better=True, everywhere=True),
    "constant": SimpleNamespace(larger_is_better=True, everywhere=True),
    "broken": SimpleNamespace(larger_is_better=True, everywhere=False),
}
COLUMNS = {"test": "accuracy_test", "error": "loss_error"}
TRUTHS = {"accuracy_test": True, "loss_error": False}
TOPS = (1, 0.5, 0.1)


def small_study(seeds=(0, 1)):
    """Of 300 networks with 900 architectures, 240 are sampled; `good` fails in one network and `broken` in all."""
    rng = np.random.default_rng(0)
    network = np.append(np.arange(300), rng.integers(0, 300, 600))
    quality = rng.normal(size=300)
    accuracy = np.round(quality[network] + 0.2 * rng.normal(size=900), 1)
    shared = {
        "space": "toy",
        "task": "cifar10",
        "arch": [f"a{i}" for i in range(900)],
        "canonical": [f"c{i}" for i in network],
        "iso_class": network,
        "reachable": network % 3 > 0,
        "connected": network % 20 != 3,
        "sampled": network < 240,
        "accuracy_test": np.where(network == 299, np.nan, accuracy),
        "loss_error": 100 - accuracy,
        "params": np.round(quality * 2)[network],
        "constant": 1.0,
        "broken": np.nan,
    }
    frames = []
    for seed in seeds:
        score = (quality + rng.normal(size=300))[network]
        good = np.where(network < 240, score, np.nan)
        good[network == 7] = np.inf
        scores = {"good": good, "reversed": -good, "random": rng.normal(size=900)}
        frames.append(pd.DataFrame(shared | scores | {"seed": seed}))
    return pd.concat(frames).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def study():
    return small_study()


@pytest.fixture(scope="module")
def table(study):
    return correlation_table(study, TRUTHS, PROXIES, tops=TOPS, replicates=100)


def due_rows(study, truth, proxy, set_name, seed):
    """What a reader would load to check a row: `score`, `truth` and `counted` (parameters) of one seed, by item."""
    rows = study[(study["seed"] == seed) & study[COLUMNS[truth]].notna()]
    rows = rows if proxy == "oracle" or PROXIES[proxy].everywhere else rows[rows["sampled"]]
    published = rows[COLUMNS[truth]] * (1 if TRUTHS[COLUMNS[truth]] else -1)
    score = published if proxy == "oracle" else rows[proxy] * (1 if PROXIES[proxy].larger_is_better else -1)
    rows = rows.assign(truth=published, score=score.where(np.isfinite(score)), counted=rows["params"])
    if set_name == "reachable":
        rows = rows[rows["reachable"]]
    if set_name == "sampled":
        rows = rows[rows["sampled"] & rows["connected"]]
    if set_name == "unique":
        rows = rows.groupby("canonical", as_index=False)[["truth", "score", "counted"]].mean().round(9)
    return rows


def test_every_row_can_be_recomputed(study, table):
    assert len(table) == 2 * 4 * 7 * len(TOPS)
    for row in table[~table["proxy"].isin(["constant", "broken"])].itertuples():
        found = []
        for seed in (0, 1):
            rows = due_rows(study, row.truth, row.proxy, row.set, seed)
            failed = rows["score"].isna().sum()
            rows = rows.dropna(subset="score").sort_values("truth", ascending=False)
            kept = rows[rows["truth"] >= rows["truth"].iloc[int(np.ceil(round(row.top * len(rows), 9))) - 1]]
            tau, rho = (rank(kept["score"], kept["truth"]).statistic for rank in (kendalltau, spearmanr))
            found.append([tau, rho, tau - kendalltau(kept["counted"], kept["truth"]).statistic])
        np.testing.assert_allclose([row.kendall, row.spearman, row.margin], np.mean(found, axis=0), atol=1e-10)
        assert (row.n, row.classes, row.failed, row.seeds) == (len(kept), kept["canonical"].nunique(), failed, 2)
        assert row.spearman_low <= row.spearman_high and row.kendall_low <= row.kendall_high


def test_columns_are_as_published(table):
    assert ", ".join(table.columns) == (
        "space, task, truth, proxy, set, top, n, classes, spearman, spearman_low, spearman_high, "
        "kendall, kendall_low, kendall_high, kendall_null, margin, margin_low, margin_high, seeds, failed"
    )


def test_oracle_is_perfect_and_random_is_not(table):
    columns = ["spearman", "spearman_low", "spearman_high", "kendall", "kendall_low", "kendall_high"]
    assert (table.loc[table["proxy"] == "oracle", columns] == 1).all(axis=None)
    random = table[(table["proxy"] == "random") & (table["top"] == 1)]
    assert (random["kendall"].abs() < 0.1).all()
    assert ((random["kendall_low"] < 0) & (random["kendall_high"] > 0)).all()


def test_margins_are_paired(table):
    """The baseline has none, and who ranks nearly as it does is told apart from it though their intervals overlap."""
    params = table[table["proxy"] == "params"]
    assert (params[["margin", "margin_low", "margin_high"]] == 0).all(axis=None)
    oracle = table[(table["proxy"] == "oracle") & (table["top"] == 1)]
    assert (oracle["margin_low"] > 0).all() and (oracle["margin_high"] < 1).all()
    random = table[(table["proxy"] == "random") & (table["top"] == 1)]
    assert (random["margin_high"] < 0).all()
    rng = np.random.default_rng(0)
    quality = rng.normal(size=500)
    study = pd.DataFrame({"arch": [f"a{i}" for i in range(500)], "accuracy_test": quality}).assign(
        canonical=lambda frame: frame.arch, params=np.round(quality + rng.normal(size=500), 1), good=lambda f: f.params
    )
    study["good"] += np.where(rng.random(500) < 0.1, quality - study.good, 0)  # a tenth is as it should be
    study = study.assign(space="toy", task="b", seed=0, reachable=True, connected=True, sampled=True)
    proxies = {name: PROXIES[name] for name in ("good", "params")}
    rows = correlation_table(study, {"accuracy_test": True}, proxies, tops=(1,), replicates=200)
    good, params = (rows[(rows.set == "all") & (rows.proxy == name)].iloc[0] for name in proxies)
    assert good.margin_low > 0 and good.kendall_low < params.kendall_high


def test_direction_is_the_proxys_and_the_truths(table):
    """`reversed` is `good` negated and declares it, `error` is `test` negated and is declared so."""
    kendall = table.pivot_table(index=["truth", "set", "top"], columns="proxy", values="kendall")
    np.testing.assert_array_equal(kendall["good"], kendall["reversed"])
    np.testing.assert_allclose(kendall.loc["test", "good"], kendall.loc["error", "good"])
    assert (kendall.xs(1, level="top")["good"] > 0.3).all()
    turned = PROXIES | {"good": SimpleNamespace(larger_is_better=False, everywhere=False)}
    wrong = correlation_table(small_study([0]), TRUTHS, turned, tops=(1,), replicates=0)
    assert (wrong.loc[wrong["proxy"] == "good", "kendall"] < -0.3).all()


def test_failures_are_counted_and_never_replaced(study, table):
    failed = table.groupby(["proxy", "set"])["failed"].max().unstack()
    rows = study[(study["seed"] == 0) & (study["canonical"] == "c7")]
    expected = {"all": len(rows), "reachable": len(rows) * rows["reachable"].all(), "unique": 1, "sampled": len(rows)}
    assert failed.loc["good"].to_dict() == expected
    assert failed.loc["broken", "unique"] == 240
    assert (failed.loc[["oracle", "params", "random"]] == 0).all(axis=None)
    broken = table[table["proxy"] == "broken"]
    assert (broken[["n", "classes", "seeds"]] == 0).all(axis=None) and broken["kendall"].isna().all()


def test_worst_seed_is_counted_and_a_lost_seed_is_left_out(study):
    study = study.copy()
    study.loc[(study["seed"] == 1) & (study["canonical"].isin(["c1", "c2"])), "good"] = np.nan
    study.loc[study["seed"] == 0, "reversed"] = np.nan
    table = correlation_table(study, {"accuracy_test": True}, PROXIES, tops=(1,), replicates=0)
    table = table.set_index(["proxy", "set"])
    assert table.loc[("good", "unique"), ["n", "failed", "seeds"]].tolist() == [237, 3, 2]
    assert table.loc[("reversed", "unique"), ["n", "failed", "seeds"]].tolist() == [239, 1, 1]


def test_constant_score_is_undefined(table):
    constant = table[table["proxy"] == "constant"]
    assert constant[["kendall", "kendall_low", "spearman", "kendall_null", "margin"]].isna().all(axis=None)
    assert (constant["n"] > 0).all()


def test_null_starts_from_the_full_tau(table):
    for _, rows in table[~table["proxy"].isin(["constant", "broken"])].groupby(["truth", "proxy", "set"]):
        tau = rows["kendall"].iloc[0]
        np.testing.assert_allclose(rows["kendall_null"], [tau, *(truncated_normal_tau(tau, top) for top in TOPS[1:])])


def test_same_seed_same_table_and_neighbours_do_not_matter(study, table):
    """A proxy's row does not depend on which other proxies are judged with it, nor on the order of the rows."""
    few = {name: PROXIES[name] for name in ("good", "params")}
    alone = correlation_table(study.iloc[::-1], TRUTHS, few, tops=TOPS, replicates=100)
    together = table[table["proxy"].isin(["good", "params", "oracle"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


def test_incomplete_seeds_are_refused(study):
    with pytest.raises(ValueError, match="toy cifar10"):
        correlation_table(study.iloc[1:], TRUTHS, PROXIES)


def test_selection_takes_the_best_and_breaks_ties_by_hash(study):
    table = selection_table(study, TRUTHS, PROXIES)
    reachable = study.loc[study["seed"] == 0, "reachable"].sum()
    for row in table[table["proxy"] != "broken"].itertuples():
        by_seed = [due_rows(study, row.truth, row.proxy, row.set, seed) for seed in (0, 1)]
        name = "canonical" if row.set == "unique" else "arch"
        rows = by_seed[0].set_index(name)
        score = (rows["score"] + by_seed[1].set_index(name)["score"]) / 2
        tied = score.index[score == score.max()]
        assert row.ties == len(tied)
        assert row.chosen_arch == min(tied, key=lambda arch: blake2b(arch.encode(), digest_size=16).hexdigest())
        truth = rows.loc[row.chosen_arch, "truth"]
        assert row.rank == 1 + (rows["truth"] > truth).sum()
        assert [abs(row.accuracy), abs(row.best_accuracy)] == pytest.approx([abs(truth), abs(rows["truth"].max())])
        assert row.regret == pytest.approx(rows["truth"].max() - truth)
    assert (table.loc[table["truth"] == "error", "accuracy"].dropna() > 90).all(), "as published, not negated"
    assert (table.loc[table["proxy"] == "oracle", ["regret", "rank"]].to_numpy(float) == [0, 1]).all()
    constant = table[(table["proxy"] == "constant") & (table["truth"] == "error")].set_index("set")
    sampled = study.query("seed == 0 and sampled and connected").shape[0]
    expected = {"all": 900, "reachable": reachable, "unique": 300, "sampled": sampled}
    assert constant["ties"].to_dict() == expected
    assert table.loc[table["proxy"] == "broken", "chosen_arch"].isna().all()


def test_cost_is_the_median_of_what_succeeded():
    scores = pd.DataFrame(
        {
            "space": "toy",
            "task": "cifar10",
            "canonical": list("abcab"),
            "proxy": ["good", "good", "good", "broken", "broken"],
            "seed": 0,
            "score": [1.0, 2.0, np.nan, np.nan, np.nan],
            "status": ["ok", "ok", "nan", "nan", "nan"],
            "seconds": [1.0, 3.0, 100.0, 1.0, 1.0],
            "seconds_shared": [0.5, 0.7, 100.0, 1.0, 1.0],
            "peak_mb": [10.0, 30.0, 40.0, 5.0, 5.0],
        }
    )
    table = cost_table([scores], [("toy", "cifar10")], ["good", "broken"]).set_index("proxy")
    assert table.columns.tolist() == ["space", "task", "seconds_per_arch", "seconds_shared", "peak_mb"]
    assert table.loc["good", ["seconds_per_arch", "seconds_shared", "peak_mb"]].tolist() == pytest.approx(
        [2.0, 0.6, 40.0]
    )
    assert table.loc["broken", ["seconds_per_arch", "seconds_shared"]].isna().all()


def test_costs_of_aggregates_are_those_of_networks():
    """Rows of aggregates are of architectures; nine that share a network were computed once."""
    seconds = {"a": 1.0, "b": 2.0, "c": 6.0}
    rows = pd.DataFrame({"canonical": [*"bc", *"a" * 9]}).assign(space="toy", task="b", proxy="az_nas", status="ok")
    rows = rows.assign(seconds=rows.canonical.map(seconds), seconds_shared=0.5, peak_mb=2.0)
    table = cost_table([pd.concat([rows.assign(seed=seed) for seed in (0, 1)])], [("toy", "b")], ["az_nas"])
    assert table.seconds_per_arch.tolist() == [2.0]


def test_equal_means_over_networks_are_equal():
    """Whole numbers in another order, whose differences from the first add up to another last digit; and 0.1 thrice."""
    scores = [143, 165, 26, 48, 162, 186, 162, 165, 48, 186, 143, 26, 0.1, 0.1, 0.1]
    frame = pd.DataFrame({"arch": [f"a{i}" for i in range(15)], "canonical": [*"aaaaaabbbbbbccc"], "params": scores})
    frame = frame.assign(space="toy", task="b", seed=0, reachable=True, connected=True, sampled=True)
    frame["accuracy_test"] = 1.0
    (found,) = populations(frame, {"accuracy_test": True}, {"params": PROXIES["params"]})
    merged = networks(found)
    scores = dict(zip(merged.canonical, merged.scores["params"][0]))
    assert scores == {"a": 730 / 6, "b": 730 / 6, "c": 0.1}


def test_costs_of_structural_scores_stand_for_every_task():
    facts = {"status": "ok", "seconds": 1.0, "seconds_shared": 0.5, "peak_mb": 2.0, "space": "toy"}
    structural = pd.DataFrame({"arch": ["a"], "proxy": "params", **facts})
    computed = pd.DataFrame({"canonical": "a", "seed": 0, "proxy": ["zen", "hidden"], **facts, "task": "b"})
    tasks = ("toy", "b"), ("toy", "a"), ("other", "a")
    table = cost_table([computed, structural], tasks, ["params", "zen"])
    assert table[["task", "proxy"]].to_numpy().tolist() == [["a", "params"], ["b", "params"], ["b", "zen"]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["correlation", "--replicates", "20"], "correlation needs --proxies"),
        (["correlation", "--proxies", "params"], "correlation needs --replicates"),
        (["selection", "--proxies", "params", "--replicates", "20"], "selection does not read --replicates"),
        (["cost", "--proxies", "params"], "cost needs --tasks"),
        (["trust", "--proxies", "params"], "trust does not read --proxies"),
    ],
)
def test_an_analysis_takes_what_it_reads_and_nothing_else(monkeypatch, capsys, words, message):
    monkeypatch.setattr(sys, "argv", ["judge", *words, "--output", "x.parquet", "study.parquet"])
    with pytest.raises(SystemExit):
        judge_program.main()
    assert message in capsys.readouterr().err
