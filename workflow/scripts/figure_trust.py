"""The page to read first: what part of the possible gain a proxy makes sure, per device, at tight and loose budgets."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

from zsnas.plotting import COST_NAMES, label_devices, name_cells, read_cell, save

plt.style.use(snakemake.input.style)

table = read_cell(snakemake.input.trust, snakemake.wildcards).query("proxy != 'oracle'")
table = table.assign(column=table.device + ", " + table.cost.map(COST_NAMES))
panels = {
    budgets: [table.pivot(index="proxy", columns="column", values=f"{budgets}_{what}") for what in ("gain", "low")]
    for budgets in ("tight", "loose")
}
best_last = sum(low.clip(-1) for _, low in panels.values()).mean(axis=1).sort_values(kind="stable", na_position="first")
proxies, columns = best_last.index[::-1], panels["tight"][0].columns
trusted = table.pivot(index="proxy", columns="column", values="trust").loc[proxies]

fewest = table.groupby("proxy").n.min()
labels, beginning = label_devices(columns)
labels = [fill(label, 24) for label in labels]  # a column is as wide as three lines
longest = max(map(len, "\n".join(labels).split("\n")))

size = (2.9 + 0.5 * len(columns), 0.8 + 0.24 * len(proxies) + 0.065 * longest)
figure, axes = plt.subplots(1, 2, figsize=size, sharey=True)
for ax, (budgets, (gain, low)) in zip(axes, panels.items()):
    gain, low = gain.loc[proxies], low.loc[proxies]
    image = ax.imshow(low, cmap="PRGn", vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(gain):
        if np.isfinite(value):
            least = low.iloc[row, column]
            ax.text(
                column,
                row,
                f"{value:.2f}\n≥ {least:.{2 if least > -9 else 0}f}" if np.isfinite(least) else f"{value:.2f}",
                color="white" if abs(least) > 0.7 else "black",
                fontsize=4.5,
                linespacing=1,
                fontweight="bold" if trusted.iloc[row, column] in ("all", budgets) else "normal",
                ha="center",
                va="center",
            )
    ax.set_title(f"{budgets} budgets")
    name_cells(ax, labels, [f"{proxy}, n = {fewest[proxy]:,}" for proxy in proxies])
figure.supxlabel(beginning, fontsize=6.5)
label, ticks = "gain over a blind choice that is certain", [-1, -0.5, 0, 0.5, 1]
figure.colorbar(image, ax=axes, label=label, shrink=0.6, ticks=ticks, extend="min")
save(figure, snakemake.output)
