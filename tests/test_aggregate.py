"""Aggregates: computed where their members' scores meet, over the architectures that have all of them."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from zsnas import registry
from zsnas.aggregate import SPENT, aggregate
from zsnas.proxies._ranks import log_rank

AGGREGATES = [proxy for proxy in registry.proxies().values() if proxy.members]
SEEDS = (0, 1)


@pytest.fixture(scope="module")
def architectures():
    """Thirty architectures of fifteen networks, of which ten are sampled."""
    names = pd.DataFrame({"arch": [f"a{at}" for at in range(30)], "canonical": [f"c{at // 2}" for at in range(30)]})
    return names.merge(pd.DataFrame({"seed": SEEDS}), how="cross")


def member_rows(name, rng):
    """Scores of one member, none failed."""
    if registry.proxies()[name].structural:
        keys = {"arch": [f"a{at}" for at in range(30)]}
    else:
        keys = {"canonical": [f"c{at}" for at in range(10)] * 2, "seed": np.repeat(SEEDS, 10)}
    frame = pd.DataFrame(keys)
    costs = {"seconds": 2.0, "seconds_shared": 0.5, "peak_mb": rng.integers(1, 100)}
    return frame.assign(proxy=name, score=rng.integers(1, 9, len(frame)).astype(float), status="ok", **costs)


def score_files(proxy):
    """Structural scores and those of networks, as two long frames."""
    rng = np.random.default_rng(0)
    rows = [member_rows(name, rng) for name in proxy.members]
    return [pd.concat([frame for frame in rows if key in frame]) for key in ("arch", "canonical")]


def naive_log_ranks(*members):
    """Counting, for each architecture, those below it and those equal to it."""
    scores = []
    for at in range(len(members[0])):
        ranks = [sum(v < it[at] for v in it) + (sum(v == it[at] for v in it) + 1) / 2 for it in members]
        scores.append(sum(math.log(rank / len(members[0])) for rank in ranks))
    return scores


def naive_swap_reg(swap, params):
    sizes = [size / 1000 for size in params]
    mean = sum(sizes) / len(sizes)
    variance = sum((size - mean) ** 2 for size in sizes) / len(sizes)
    return [score * math.exp(-((size - mean) ** 2) / (2 * variance)) for score, size in zip(swap, sizes)]


NAIVE = dict.fromkeys(["az_nas", "vkdnw_agg", "log_rank_vote"], naive_log_ranks) | {"swap_reg": naive_swap_reg}


def test_every_aggregate_has_a_second_implementation():
    assert {proxy.name for proxy in AGGREGATES} == set(NAIVE)


@pytest.mark.parametrize("proxy", AGGREGATES, ids=lambda proxy: proxy.name)
def test_scores_follow_from_the_formula(proxy, architectures):
    files = score_files(proxy)
    rows = aggregate(proxy, architectures, files)
    assert len(rows) == 2 * 20 and (rows.status == "ok").all()
    for seed, found in rows.groupby("seed"):
        by = {name: {} for name in proxy.members}
        for row in pd.concat(files).to_dict("records"):
            if isinstance(row.get("arch"), str):
                by[row["proxy"]][row["arch"]] = row["score"]
            elif row["seed"] == seed:
                twins = (f"a{2 * int(row['canonical'][1:]) + twin}" for twin in (0, 1))
                by[row["proxy"]] |= dict.fromkeys(twins, row["score"])
        members = [[scores[arch] for arch in found.arch] for scores in by.values()]
        np.testing.assert_allclose(found.score, NAIVE[proxy.name](*members), rtol=1e-12)


@pytest.mark.parametrize("proxy", AGGREGATES, ids=lambda proxy: proxy.name)
def test_costs_are_those_of_the_members(proxy, architectures):
    rows = aggregate(proxy, architectures, score_files(proxy))
    assert (rows.seconds == 2 * len(proxy.members)).all()
    assert (rows.seconds_shared == 0.5 * len(proxy.members)).all()


def test_failed_members_give_a_status_and_leave_the_ranking(architectures):
    proxy = registry.proxies()["az_nas"]
    structural, networks = score_files(proxy)
    failed = (networks.proxy == "az_trainability") & (networks.canonical == "c3") & (networks.seed == 0)
    networks.loc[failed, ["score", "status"]] = np.nan, "inf"
    rows = aggregate(proxy, architectures, [structural, networks]).set_index(["seed", "arch"])
    assert rows.status[0, "a6"] == rows.status[0, "a7"] == "error: az_trainability: inf"
    assert rows.score.isna().sum() == 2
    without = networks[(networks.canonical != "c3") | (networks.seed == 1)]
    expected = aggregate(proxy, architectures, [structural, without]).set_index(["seed", "arch"])
    pd.testing.assert_series_equal(rows.score.dropna(), expected.score)


def test_an_aggregate_of_what_counts_is_everywhere():
    vote = dataclasses.replace(registry.proxies()["az_nas"], members=("params", "macs"))
    there = [proxy.everywhere for proxy in (vote, *map(registry.proxies().get, ("params", "zen", "swap_reg")))]
    assert there == [True, True, False, False]


def test_members_come_turned_so_that_larger_is_better(monkeypatch, architectures):
    smaller = SimpleNamespace(name="cost", structural=True, larger_is_better=False)
    monkeypatch.setattr(registry, "proxies", lambda: {"cost": smaller})
    rng = np.random.default_rng(0)
    proxy = SimpleNamespace(name="vote", members=("cost",), function=lambda cost: log_rank(cost))
    rows = aggregate(proxy, architectures, [member_rows("cost", rng)])
    costs = member_rows("cost", np.random.default_rng(0)).set_index("arch").score[rows.arch].to_numpy()
    assert (np.argsort(rows.score, kind="stable") == np.argsort(-costs, kind="stable")).all()


def of_two_lines(params):
    raise ValueError("the first\nand a second")


@pytest.mark.parametrize(
    ("function", "status"),
    [
        (lambda params: params * np.nan, "nan"),
        (lambda params: params / 0, "inf"),
        (lambda params: 1 / len([]), "error: ZeroDivisionError: division by zero"),
        (of_two_lines, "error: ValueError: the first"),
        (lambda params: None, "error: TypeError: Cannot cast scalar from dtype('O') to dtype('float64')"),
        (lambda params: params + 1j, "error: TypeError: Cannot cast array data from dtype('complex128')"),
        (lambda params: params[:3], "error: ValueError: operands could not be broadcast together"),
    ],
)
def test_what_is_no_number_becomes_a_status(function, status, architectures):
    proxy = SimpleNamespace(name="odd", members=("params",), function=function)
    rows = aggregate(proxy, architectures, [member_rows("params", np.random.default_rng(0))])
    assert rows.status.str.startswith(status).all() and rows.score.isna().all()
    assert set(SPENT) <= set(rows)
