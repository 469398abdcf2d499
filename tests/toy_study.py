"""A small study with devices, for the tests of what is judged on it."""

from hashlib import blake2b
from types import SimpleNamespace

import numpy as np
import pandas as pd

PROXIES = {
    "good": SimpleNamespace(larger_is_better=True, everywhere=False),
    "depth": SimpleNamespace(larger_is_better=False, everywhere=True),
    "constant": SimpleNamespace(larger_is_better=True, everywhere=True),
}


def small_study():
    """200 architectures of 80 networks, two seeds, two devices and one without a number."""
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
                "connected": network != 9,
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
    """The rows that correlations of a table row are over, in the neutral order, with `score` and `cost`."""
    return (priced(study, row) if row.set == "all" else choices(study, row)).dropna(subset="score")


def choices(study, row):
    """The rows that choices of a table row are among, in the neutral order; `score` is NaN of what cannot be chosen."""
    rows = priced(study, row)
    return rows[rows["connected"] & rows["sampled"]]


def priced(study, row):
    first, second = (study[study["seed"] == seed].reset_index(drop=True) for seed in (0, 1))
    if row.proxy == "oracle":
        score = second["accuracy_test"] * 0 + first["accuracy_test"]
    else:
        score = (first[row.proxy] + second[row.proxy]) / 2 * (1 if PROXIES[row.proxy].larger_is_better else -1)
    rows = first.assign(score=score, cost=first[f"{row.cost}_{row.device}"]).dropna(subset="cost")
    return rows.sort_values(
        "arch", key=lambda names: names.map(lambda name: blake2b(name.encode(), digest_size=16).hexdigest())
    )
