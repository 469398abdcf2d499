"""Kendall's tau of every proxy with its interval: over all architectures, and over the best ones by truth.

A ring marks a proxy that certainly ranks the same architectures better than their number of parameters.
"""

import matplotlib.pyplot as plt
import numpy as np

from zsnas.plotting import GROUPS, group, read_cell, save

TOP = 0.05
plt.style.use(snakemake.input.style)

cell = read_cell(snakemake.input.correlation, snakemake.wildcards).set_index("proxy")
table = cell.query("set == 'all'")
baseline = cell.query("set == 'sampled'") if (cell["set"] == "sampled").any() else table
everything = table.query("top == 1").sort_values("kendall", kind="stable", na_position="first")
best = table.query("top == @TOP").loc[everything.index]
groups = np.array([group(proxy) for proxy in everything.index])
height = np.arange(len(groups))

figure, axes = plt.subplots(1, 2, figsize=(3.5, 1.2 + 0.135 * len(groups)), sharex=True, sharey=True)
for ax, rows in zip(axes, (everything, best)):
    for name, look in GROUPS.items():
        member = groups == name
        ax.hlines(height[member], rows.kendall_low[member], rows.kendall_high[member], color=look["color"])
        counts = f"{name}, n = {everything.n[member].max():,.0f} (top: {best.n[member].max():,.0f})"
        ax.plot(rows.kendall[member], height[member], linestyle="", label=counts, **look)
    above = rows.margin_low > 0
    look = {"color": "black", "markersize": 6, "fillstyle": "none"}
    ax.plot(rows.kendall[above], height[above], "o", label="certainly above params", **look)
    ax.axvline(0, color="black", linewidth=0.6, zorder=1)
    look = {"color": GROUPS["structural"]["color"], "linestyle": "--", "linewidth": 0.8}
    same_top = baseline[baseline.top == rows.top.iloc[0]]
    label = "params" if baseline is table else "params on the sample"
    ax.axvline(same_top.kendall["params"], label=label, **look)
    ax.set(xlim=(-1.05, 1.05), xlabel="Kendall's tau")
    ax.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "0.5", "1"])
    ax.grid(axis="y")
axes[1].plot(best.kendall_null, height, "|", color="black", markersize=6, label="range restriction alone")
axes[0].set(title="all architectures", ylim=(-0.7, len(height) - 0.3))
axes[1].set(title=f"top {100 * TOP:g} % by truth")
axes[0].set_yticks(
    height, [f"{proxy} ({failed:,} failed)" if failed else proxy for proxy, failed in everything.failed.items()]
)
figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower left", ncols=2)
save(figure, snakemake.output)
