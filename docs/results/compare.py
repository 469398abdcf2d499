"""Published correlations beside ours, as a Markdown table: `python docs/results/compare.py CORRELATION.csv...`.

Reads published.csv and the correlation tables of studies; where several have a proxy for a task, the first counts. A
difference above EXPLAINED that is outside our interval has a reason in reasons.csv.
"""

import sys
from pathlib import Path

import pandas as pd

# What published values are of, where a space has several truths: the source's own, or else the space's.
TRUTH_OF = {
    ("nasbench201", "NAS-Bench-Suite-Zero (Krishnakumar et al., 2022)"): "nats_valid_once",
    "nasbench201": "nats_test",
    ("darts", "SWAP's extension (2026)"): "swap",
    "darts": "nb301_surrogate",
}
FOLDER = Path(__file__).parent
NOTABLE, EXPLAINED = 0.05, 0.1
ROW = ["space", "task", "proxy", "set"]
HEADER = [*ROW, "source", "Spearman there", "here", "Kendall there", "here", "n here", "difference", "why"]


def ours(paths):
    """Our correlations over a whole set of architectures; a truth `..._on_{data set}` is of that task."""
    tables = pd.concat([pd.read_csv(path) for path in paths])
    tables = tables[tables.top == 1]
    truths = tables.truth.str.partition("_on_")
    return tables.assign(truth=truths[0], task=truths[2].str.replace("_", "-").where(truths[1] != "", tables.task))


def beside(row, known):
    """Our correlation that a published one is compared with; None where there is none."""
    found = known[(known[ROW] == row[ROW]).all(axis=1)]
    truth = TRUTH_OF.get((row.space, row.source), TRUTH_OF.get(row.space))
    found = found[found.truth == truth] if truth else found
    return None if found.empty else found.iloc[0]


def published():
    """Published values, one row per space, task, proxy, set and source."""
    return pd.read_csv(FOLDER / "published.csv").sort_values(ROW, kind="stable")


def reason(row, difference, reasons):
    """Why a published value differs by more than EXPLAINED and lies outside our interval; exits where nobody says.

    reasons: of space, task (or `all`) and proxy.
    """
    known = reasons[reasons.task.isin([row.task, "all"])]
    known = known[(known[["space", "proxy"]] == row[["space", "proxy"]]).all(axis=1)]
    if known.empty:
        sys.exit(f"reasons.csv does not say why {row.proxy} on {row.space}, {row.task} differs by {difference:+.2f}")
    return known.iloc[0].why


def line(row, found, reasons):
    """One line of the table: a published value, ours with its interval, the difference, and why if it is large."""
    cells = [row.space, row.task, f"`{row.proxy}`", row.set, row.source]
    for statistic in ("spearman", "kendall"):
        theirs, here = row[statistic], found[statistic]
        low, high = found[f"{statistic}_low"], found[f"{statistic}_high"]
        cells += ["" if pd.isna(theirs) else f"{theirs:.2f}", f"{here:.2f} [{low:.2f}, {high:.2f}]"]
    differences = {it: found[it] - row[it] for it in ("spearman", "kendall") if pd.notna(row[it])}
    surprising = {
        statistic: difference
        for statistic, difference in differences.items()
        if abs(difference) > EXPLAINED and not found[f"{statistic}_low"] <= row[statistic] <= found[f"{statistic}_high"]
    }
    largest = max((surprising or differences).values(), key=abs)
    cells += [f"{found.n:,}", f"**{largest:+.2f}**" if abs(largest) > NOTABLE else f"{largest:+.2f}"]
    if surprising:
        cells.append(reason(row, largest, reasons))
    else:
        cells.append("within the interval" if abs(largest) > EXPLAINED else "")
    return "| " + " | ".join(cells) + " |"


def main():
    known, reasons = ours(sys.argv[1:]), pd.read_csv(FOLDER / "reasons.csv")
    print(f"| {' | '.join(HEADER)} |")
    print(f"|{'---|' * len(HEADER)}")
    for _, row in published().iterrows():
        if (found := beside(row, known)) is not None:
            print(line(row, found, reasons))


if __name__ == "__main__":
    main()
