"""What the study's figures share: which rows they draw, how proxies look, where truths lie, how files are saved.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; the marker says the same once more.
"""

import re
from itertools import takewhile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, NullLocator

from zsnas import registry
from zsnas.files import read_provenance
from zsnas.judge.population import populations

GROUPS = {
    "structural": {"color": "#0072B2", "marker": "o"},
    "data-driven": {"color": "#D55E00", "marker": "D"},
    "control": {"color": "#6A6A6A", "marker": "s"},
}
SERIES = (  # where a figure tells several things apart that are no GROUPS
    {"color": "#0072B2", "marker": "o"},
    {"color": "#D55E00", "marker": "D"},
    {"color": "#009E73", "marker": "^"},
    {"color": "#CC79A7", "marker": "v"},
    {"color": "#E69F00", "marker": "s"},
    {"color": "#6A6A6A", "marker": "x"},
)
CONTROLS = ("random", "oracle")
COLUMNS = 6
COST_NAMES = {"latency_ms": "latency", "energy_mj": "energy"}
PERCENTILES = (0, 0.25, 0.5, 0.75, 0.95)
UNDATED = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}


def group(proxy):
    """The entry of `GROUPS` that a proxy belongs to."""
    if proxy in CONTROLS:
        return "control"
    return "structural" if registry.proxies()[proxy].everywhere else "data-driven"


def read_cell(path, wildcards):
    """The rows of a table about the figure's space, task and, where the table has such columns, truth and device."""
    table = pd.read_parquet(path)
    for name in table.columns.intersection(list(wildcards.keys())):
        table = table[table[name] == wildcards[name]]
    return table


def read_population(path, wildcards):
    """The architectures of a joined task that have the figure's truth, scores turned so that larger is better."""
    study = read_cell(path, wildcards)
    truths = read_provenance(path)["truths"]
    truths = {column: larger for column, larger in truths.items() if column.partition("_")[2] == wildcards["truth"]}
    proxies = {name: facts for name, facts in registry.proxies().items() if name in study}
    (population,) = populations(study, truths, proxies)
    return population


def panels(table, margin, xlabel, ylabel):
    """A figure as wide as a page with one panel per row of the table: the figure, and pairs (panel, row).

    margin: how much higher than its panels the figure is, in inches. The labels are those of all panels.
    """
    rows = -(-len(table) // COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(7, margin + 1.35 * rows), sharex=True, sharey=True, squeeze=False
    )
    for ax in axes.flat[len(table) :]:
        ax.set_visible(False)
    figure.supxlabel(xlabel, fontsize=7)
    figure.supylabel(ylabel, fontsize=7)
    return figure, list(zip(axes.flat, table.itertuples()))


def percentile(values, among):
    """Share of `among` below each of `values`, ties counted half."""
    ordered = np.sort(among)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2 * len(ordered))


def spread_costs(ax, directions="x"):
    """Costs on logarithmic axes, of x or of x and y, with plain numbers at 1, 2 and 5."""
    ax.set(**{f"{direction}scale": "log" for direction in directions})
    for axis in (getattr(ax, f"{direction}axis") for direction in directions):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(NullLocator())


def draw_front(ax, cost, height, front, **look):
    """What is reached as the budget grows: `height` over `cost`, stepping at the positions `front`, to the dearest."""
    reach, level = np.append(cost[front], cost.max()), height[np.append(front, front[-1])]
    ax.step(reach, level, where="post", markevery=range(len(front)), **look)


def name_cells(ax, columns, rows):
    """Name the columns and rows of a map of cells, which needs no other frame."""
    ax.set_xticks(range(len(columns)), columns, rotation=90)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def write_hundredths(ax, rho, fontsize):
    """Write each finite correlation of a map (a frame) into its cell, in hundredths."""
    for (row, column), value in np.ndenumerate(rho):
        if np.isfinite(value):
            colour = "white" if abs(value) > 0.7 else "black"
            ax.text(column, row, round(100 * value), color=colour, fontsize=fontsize, ha="center", va="center_baseline")


def explain_colours(figure, image, axes):
    """The bar beside maps of correlations."""
    label, ticks = "Spearman's rho (in the cells: hundredths)", [-1, -0.5, 0, 0.5, 1]
    figure.colorbar(image, ax=axes, label=label, shrink=0.6, ticks=ticks)


def label_devices(names):
    """Names of devices without the words that all begin with, and these, to be written once for all."""
    words = [re.split("(?<=[-_])", name) for name in names]
    shared = [alike[0] for alike in takewhile(lambda alike: len(set(alike)) == 1, zip(*words))]
    beginning = "".join(shared) + ("…" if shared and len(names) > 1 else "")
    return ["".join(rest[len(shared) :]) for rest in words], beginning


def label_percentiles(ax, truth, sign):
    """Where heights are percentiles of `truth`, write the values that lie there, as published, and mark the top 5 %."""
    labels = [f"{sign * value:.3g}" for value in np.quantile(truth, PERCENTILES)]
    ax.set(ylim=(-0.03, 1.03), yticks=PERCENTILES, yticklabels=labels)
    ax.axhline(PERCENTILES[-1], color="#6A6A6A", linewidth=0.5, linestyle=":", zorder=0)


def save(figure, paths):
    """Write the figure to each path, in the format its suffix names, with nothing inside that tells when."""
    for path in paths:
        figure.savefig(path, metadata=UNDATED[Path(path).suffix])
