"""Rank correlation against what a score costs, computed alone and within its bundle."""

import matplotlib.pyplot as plt
import numpy as np

from zsnas.plotting import GROUPS, group, read_cell, save

plt.style.use(snakemake.input.style)


def spread(heights, gap):
    """Ascending heights moved apart, up and down alike, until at least `gap` lies between them."""
    steps = gap * np.arange(len(heights))
    raised = np.maximum.accumulate(heights - steps)
    lowered = np.minimum.accumulate((heights - steps)[::-1])[::-1]
    return (raised + lowered) / 2 + steps


correlation = read_cell(snakemake.input.correlation, snakemake.wildcards).query("set == 'all' and top == 1")
table = correlation.merge(read_cell(snakemake.input.cost, snakemake.wildcards), on="proxy")
table = table.dropna(subset=["kendall", "seconds_per_arch"]).sort_values("kendall", kind="stable")
gap = 0.045 * (table.kendall_high.max() - table.kendall_low.min())

figure, ax = plt.subplots(figsize=(3.5, 3.3))
for name, look in GROUPS.items():
    rows, colour = table[table.proxy.map(group) == name], look["color"]
    ax.vlines(rows.seconds_per_arch, rows.kendall_low, rows.kendall_high, color=colour, linewidth=0.6, alpha=0.5)
    ax.hlines(rows.kendall, rows.seconds_shared, rows.seconds_per_arch, color=colour, linewidth=0.6)
    ax.plot(rows.seconds_shared, rows.kendall, linestyle="", markerfacecolor="white", **look)
    ax.plot(rows.seconds_per_arch, rows.kendall, linestyle="", label=name, **look)
    for row, height in zip(rows.itertuples(), spread(rows.kendall.to_numpy(), gap)):
        ax.annotate(
            row.proxy,
            (row.seconds_per_arch, row.kendall),
            (3 * rows.seconds_per_arch.max(), height),
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.3, "relpos": (0, 0.5), "shrinkA": 0},
            bbox={"color": "white", "pad": 0.5},
            color=colour,
            fontsize=6,
            va="center",
        )
ax.plot([], [], "D", color="black", label="computed alone")
ax.plot([], [], "D", color="black", markerfacecolor="white", label="within its bundle")
ax.axhline(0, color="black", linewidth=0.6, zorder=0)
ax.set(xscale="log", xlabel="seconds per architecture", ylabel="Kendall's tau with the truth")
ax.minorticks_off()
ax.grid(axis="y")
figure.legend(loc="outside lower center", ncols=3)
save(figure, snakemake.output)
