"""Does size count what a network does not use? `python docs/results/structural/live.py STUDY.parquet`.

Prints a Markdown table, per space, task and truth, of spaces where architectures with dead operations share a network.
Kendall's tau with the truth of the parameters as published, of those of the canonical network, which are live (as the
proxy `live_params`, which older studies lack), and the difference; and which proxies of the study are certainly above
either, on the same architectures in the same draws. All are connected and, where there is a sample, of it; scores are
those of seed 0. Intervals are 95 % bootstrap intervals over canonical networks.
"""

import sys

import pandas as pd

from zsnas import registry
from zsnas.judge.population import known_alike
from zsnas.judge.statistics import interval, rank_correlations, sample_weights

METRICS = ("accuracy_", "negloss_", "ssim_")
REPLICATES, SEED = 1000, 0


def compared(table, truth, proxies):
    """Kendall's tau [1 + REPLICATES] of published and of live parameters, and of each proxy less either by its name.

    table: a row per architecture with `canonical`, `params` and `live`; proxies: names with scores, larger is better. A
    proxy is compared where it has scores.
    """
    differences = {}
    for scored, names in known_alike({name: table[name].to_numpy(float) for name in proxies}):
        published, live, *own = taus(table[scored], truth, ["params", "live", *names])
        differences |= {name: (tau - published, tau - live) for name, tau in zip(names, own)}
    return *taus(table, truth, ["params", "live"]), differences


def taus(table, truth, columns):
    """Kendall's tau [columns, 1 + REPLICATES] with the truth, drawn by canonical network."""
    weights = sample_weights(table.canonical.to_numpy(str), REPLICATES, SEED)
    kendall, _ = rank_correlations(table[columns].to_numpy(float).T, table[truth].to_numpy(float), weights)
    return kendall[:, 0]


def turned(study):
    """The study's proxies but the parameters and the control, turned so that larger is better."""
    known = registry.proxies()
    names = [name for name in study if name in known and name not in ("params", "random")]
    signs = [1 if known[name].larger_is_better else -1 for name in names]
    return names, study.assign(**(study[names] * signs))


def main():
    names, study = turned(pd.read_parquet(sys.argv[1]).query("seed == 0"))
    print("| space, task (truth) | n | published | live | difference | above published | above live |")
    print(f"|{'---|' * 7}")
    for (space, task), rows in study.groupby(["space", "task"]):
        rows = rows.assign(live=rows.canonical.map(rows.set_index("arch").params))
        rows = rows[rows.connected & (rows.sampled | ~rows.sampled.any())]
        if (rows.live == rows.params).all():
            continue
        for truth in (column for column in study if column.startswith(METRICS)):
            table = rows[rows[truth].notna()]
            if table.empty:
                continue
            published, live, differences = compared(table, truth, names)
            cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(it)) for it in (published, live, live - published)]
            for at in range(2):
                lows = {name: interval(both[at])[1] for name, both in differences.items()}
                cells.append(", ".join(f"`{name}`" for name, low in lows.items() if low > 0))
            name = f"{space}, {task} ({truth.partition('_')[2]})"
            print(f"| {name} | {len(table):,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
