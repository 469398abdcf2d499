"""Score against accuracy, one panel per proxy, both by rank."""

import matplotlib.pyplot as plt
import numpy as np

from zsnas.judge.population import mean_score
from zsnas.plotting import GROUPS, group, label_percentiles, panels, percentile, read_cell, read_population, save

plt.style.use(snakemake.input.style)

population = read_population(snakemake.input.study, snakemake.wildcards)
height = percentile(population.truth, population.truth)
table = read_cell(snakemake.input.correlation, snakemake.wildcards)
table = table.query("set == 'all' and top == 1 and proxy != 'oracle'")
table = table.sort_values("kendall", ascending=False, kind="stable")

figure, drawn = panels(table, 0.3, "percentile of the score", f"{population.metric}, spaced by rank")
for ax, row in drawn:
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
save(figure, snakemake.output)
