"""Published correlations beside ours, as a Markdown table: `python docs/results/compare.py CORRELATION.csv...`.

Reads published.csv and the correlation tables of studies; where several have a proxy for a task, the first counts.
"""

import sys
from pathlib import Path

import pandas as pd

TASK_OF = {  # the data set a truth was measured on, where it is not the task that proxies were computed for
    "nats_test_on_cifar100": "cifar100",
    "nats_test_on_imagenet16_120": "imagenet16-120",
}
TRUTH_OF = {"darts": "nb301_surrogate"}  # what published values are of, where a space has several truths
NOTABLE = 0.05
ROW = ["space", "task", "proxy", "set"]
HEADER = [*ROW, "source", "Spearman there", "here", "Kendall there", "here", "n here", "difference"]


def ours(paths):
    """Our correlation over a whole set of architectures, by space, task, proxy and set."""
    tables = pd.concat([pd.read_csv(path) for path in paths])
    tables = tables[tables.top == 1]
    tables = tables[tables.truth == tables.space.map(TRUTH_OF).fillna(tables.truth)]
    tables = tables.assign(task=tables.truth.map(TASK_OF).fillna(tables.task))
    return tables.drop_duplicates(ROW).set_index(ROW)


def published():
    """Published values, one row per space, task, proxy, set and source."""
    return pd.read_csv(Path(__file__).parent / "published.csv").sort_values(ROW, kind="stable")


def line(row, found):
    """One line of the table: a published value, ours with its interval, and the difference where it is notable."""
    cells = [row.space, row.task, f"`{row.proxy}`", row.set, row.source]
    for statistic in ("spearman", "kendall"):
        theirs, here = row[statistic], found[statistic]
        low, high = found[f"{statistic}_low"], found[f"{statistic}_high"]
        cells += ["" if pd.isna(theirs) else f"{theirs:.2f}", f"{here:.2f} [{low:.2f}, {high:.2f}]"]
    differences = [found[it] - row[it] for it in ("spearman", "kendall") if pd.notna(row[it])]
    largest = max(differences, key=abs)
    cells += [f"{found.n:,}", f"**{largest:+.2f}**" if abs(largest) > NOTABLE else f"{largest:+.2f}"]
    return "| " + " | ".join(cells) + " |"


def main():
    known = ours(sys.argv[1:])
    print(f"| {' | '.join(HEADER)} |")
    print(f"|{'---|' * len(HEADER)}")
    for _, row in published().iterrows():
        if tuple(row[ROW]) in known.index:
            print(line(row, known.loc[tuple(row[ROW])]))


if __name__ == "__main__":
    main()
