"""Timings of the judging tables on synthetic data shaped as NAS-Bench-201: run as ``python tests/bench_judge.py``.

15 625 architectures in 5 425 networks, 25 proxies (five of them structural), three tasks, six devices. The first call
of every kernel compiles it (once per machine), so a small study goes first.
"""

from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pandas as pd

from zsnas.judge import budget_table, correlation_table, hardware_table, pareto_table, regret_table, selection_table
from zsnas.judge.statistics import truncated_normal_tau

PROXIES = {f"p{at}": SimpleNamespace(larger_is_better=True, everywhere=at >= 20) for at in range(25)}


def synthetic_study(n, networks, tasks):
    """One row per task and architecture; data-driven proxies give one score per network, with ties."""
    rng = np.random.default_rng(0)
    member = np.append(np.arange(networks), rng.integers(0, networks, n - networks))
    names = [f"a{i}" for i in range(n)]
    cells = []
    for task in range(tasks):
        quality = rng.normal(size=networks)
        columns = {"accuracy_test": np.round(90 + 3 * quality[member] + 0.3 * rng.normal(size=n), 2)}
        for at, (proxy, facts) in enumerate(PROXIES.items()):
            score = quality * at / 25 + rng.normal(size=networks)
            columns[proxy] = np.round(score[member], 1) + facts.everywhere * rng.integers(0, 2, n)
        for device in range(6):
            columns[f"latency_ms_d{device}"] = np.exp(0.3 * quality + rng.normal(size=networks))[member]
        cells.append(pd.DataFrame({"space": "nasbench201", "task": f"t{task}", "arch": names, "seed": 0, **columns}))
    return pd.concat(cells, ignore_index=True).assign(
        canonical=np.tile([f"c{i}" for i in member], tasks),
        iso_class=0,
        reachable=np.tile(rng.random(n) < 0.6, tasks),
        connected=True,
        sampled=True,
    )


def timed(label, table, *args, **options):
    start = perf_counter()
    table(*args, **options)
    print(f"{perf_counter() - start:8.2f} s  {label}", flush=True)


def main():
    small, truths = synthetic_study(300, 100, 1), {"accuracy_test": True}
    timed("compile or load the kernels", lambda: [t(small, truths, PROXIES) for t in (correlation_table, pareto_table)])
    study = synthetic_study(15625, 5425, 3)
    one_task = study[study["task"] == "t0"]
    timed("correlation: 1 task, 1000 replicates (bar 20 s)", correlation_table, one_task, truths, PROXIES)
    timed("selection: 3 tasks", selection_table, study, truths, PROXIES)
    for replicates in (0, 200, 1000):
        label = f"pareto: 3 tasks, 6 devices, {replicates} replicates"
        timed(label + " (bar 60 s)" * (replicates == 0), pareto_table, study, truths, PROXIES, replicates=replicates)
    timed("budget: 3 tasks, 6 devices, 5 budgets", budget_table, study, truths, PROXIES)
    for name, table in (("regret", regret_table), ("hardware", hardware_table)):
        timed(f"{name}: 3 tasks, 6 devices, 200 replicates", table, study, truths, PROXIES, replicates=200)
    taus = np.linspace(-1, 1, 300)
    timed("kendall_null, 300 calls (bar 3 s)", lambda: [truncated_normal_tau(tau, 0.1) for tau in taus])


if __name__ == "__main__":
    main()
