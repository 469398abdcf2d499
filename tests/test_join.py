"""Gathering and joining: the right rows meet."""

import numpy as np
import pandas as pd

from zsnas.gather import first_networks
from zsnas.join import join


def test_gather_keeps_the_first_networks_of_every_bundle_and_seed():
    shards = [
        pd.DataFrame({"canonical": list(names), "proxy": proxy, "seed": seed})
        for proxy in ("a", "b")
        for seed in (0, 1)
        for names in ("xy", "zw")
    ]
    kept = first_networks(shards, 3)
    assert set(kept.canonical) == {"x", "y", "z"}
    assert kept.groupby(["proxy", "seed"]).size().tolist() == [3, 3, 3, 3]


def test_join_by_architecture_and_by_network():
    index = pd.DataFrame(
        {
            "arch": ["a", "b", "c"],
            "canonical": ["a", "a", "c"],
            "iso_class": [0, 0, 1],
            "reachable": True,
            "connected": True,
        }
    )
    structural = pd.DataFrame({"arch": ["a", "b", "c"], "proxy": "params", "score": [1.0, 2.0, 3.0]})
    scores = pd.DataFrame({"canonical": ["a", "a"], "proxy": "snip", "seed": [0, 1], "score": [5.0, np.nan]})
    votes = pd.DataFrame({"arch": ["a", "b"], "proxy": "vote", "seed": [0, 1], "score": [-1.0, -2.0]})
    truth = pd.DataFrame({"arch": ["c", "a", "b"], "accuracy": [30.0, 10.0, 20.0]})
    measured = pd.DataFrame({"canonical": ["a"], "latency_ms": [7.0], "energy_mj": [np.nan]})
    looked_up = pd.DataFrame({"arch": ["b"], "latency_ms": [8.0], "energy_mj": [9.0]})
    frame = join(index, [0, 1], [structural, scores, votes], {"t": truth}, {"m": measured, "l": looked_up})
    assert len(frame) == 6
    first = frame[frame.seed == 0].set_index("arch")
    assert first.params.tolist() == [1, 2, 3]
    assert first.accuracy_t.tolist() == [10, 20, 30]
    assert first.sampled.tolist() == [True, True, False]
    np.testing.assert_array_equal(first.snip, [5, 5, np.nan])
    assert frame[frame.seed == 1].snip.isna().all()
    np.testing.assert_array_equal(first.vote, [-1, np.nan, np.nan])
    np.testing.assert_array_equal(frame[frame.seed == 1].vote, [np.nan, -2, np.nan])
    np.testing.assert_array_equal(first.latency_ms_m, [7, 7, np.nan])
    np.testing.assert_array_equal(first.energy_mj_l, [np.nan, 9, np.nan])
    assert "energy_mj_m" not in frame
