"""Score against accuracy, one panel per proxy, both by rank."""

import matplotlib.pyplot as plt
import numpy as np

from zsnas.judge.population import mean_score
from zsnas.plotting import GROUPS, group, label_percentiles, percentile, read_cell, read_population, save

COLUMNS = 6
plt.style.use(snakemake.input.style)

population = read_population(snakemake.input.study, snakemake.wildcards)
height = percentile(population.truth, population.truth)
table = read_cell(snakemake.input.correlation, snakemake.wildcards)
table = table.query("set == 'all' and top == 1 and proxy != 'oracle'")
table = table.sort_values("kendall", ascending=False, kind="stable")

rows = -(-len(table) // COLUMNS)
figure, axes = plt.subplots(rows, COLUMNS, figsize=(7, 0.3 + 1.35 * rows), sharex=True, sharey=True, squeeze=False)
for ax in axes.flat[len(table) :]:
    ax.set_visible(False)
for ax, row in zip(axes.flat, table.itertuples()):
    score = mean_score(population, row.proxy)
    by_score = np.argsort(score, kind="stable")[: np.isfinite(score).sum()]
    # Thousands of points blend into a tint, hundreds stay points.
    look = {"s": 1, "alpha": 0.15} if len(by_score) > 2000 else {"s": 5, "alpha": 0.6}
    colour = GROUPS[group(row.proxy)]["color"]
    position = (np.arange(len(by_score)) + 0.5) / max(len(by_score), 1)
    ax.scatter(position, height[by_score], color=colour, linewidths=0, rasterized=True, **look)
    ax.set_title(f"{row.proxy}\nτ = {row.kendall:z.2f}, n = {row.n:,}", color=colour)
    ax.set_xticks([0, 0.5, 1], ["0", "50", "100"])
    label_percentiles(ax, population.truth, population.sign)
figure.supxlabel("percentile of the score", fontsize=7)
figure.supylabel("accuracy, spaced by rank", fontsize=7)
save(figure, snakemake.output)
