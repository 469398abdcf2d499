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
from zsnas.files import read_provenance
from zsnas.judge.population import candidates, known_alike, populations, take
from zsnas.judge.statistics import interval, rank_correlations, sample_weights

LEFT_OUT = ("params", "random")  # what proxies are compared with, and the control
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


def main():
    study, truths = pd.read_parquet(sys.argv[1]), read_provenance(sys.argv[1])["truths"]
    known = registry.proxies()
    proxies = {name: known[name] for name in study if name in known}
    sizes = study.drop_duplicates(["space", "arch"]).set_index(["space", "arch"]).params
    print("| space, task (truth) | n | published | live | difference | above published | above live |")
    print(f"|{'---|' * 7}")
    for population in populations(study, truths, proxies):
        members = take(population, candidates(population))
        table = pd.DataFrame({name: scores[0] for name, scores in members.scores.items()})
        table["canonical"], table["truth"] = members.canonical, members.truth
        table["live"] = sizes[members.space].loc[members.canonical].to_numpy()
        if (table.live == table.params).all():
            continue
        published, live, differences = compared(table, "truth", [name for name in proxies if name not in LEFT_OUT])
        cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(it)) for it in (published, live, live - published)]
        for at in range(2):
            lows = {name: interval(both[at])[1] for name, both in differences.items()}
            cells.append(", ".join(f"`{name}`" for name, low in lows.items() if low > 0))
        name = f"{members.space}, {members.task} ({members.name})"
        print(f"| {name} | {len(table):,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
