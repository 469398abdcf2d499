"""Spearman correlation between all proxies and the truth, as a heat map in clustered order."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from zsnas.judge.population import mean_score
from zsnas.plotting import name_cells, read_population, save

plt.style.use(snakemake.input.style)

population = read_population(snakemake.input.study, snakemake.wildcards)
scores = pd.DataFrame({proxy: mean_score(population, proxy) for proxy in population.scores})
spearman = scores.rename(columns={"oracle": population.metric}).corr("spearman")
distances = squareform(1 - spearman.fillna(0), checks=False)
order = leaves_list(linkage(distances, "average", optimal_ordering=True))
spearman = spearman.iloc[order, order]

side = 0.2 * len(order)
figure, ax = plt.subplots(figsize=(1.35 + side, 0.75 + side))
image = ax.imshow(spearman, cmap="RdBu_r", vmin=-1, vmax=1)
for (row, column), value in np.ndenumerate(spearman):
    if row != column and np.isfinite(value):
        colour = "white" if abs(value) > 0.7 else "black"
        ax.text(column, row, round(100 * value), color=colour, fontsize=5.5, ha="center", va="center_baseline")
name_cells(ax, spearman.columns, spearman.index)
for label in [*ax.get_xticklabels(), *ax.get_yticklabels()]:
    label.set_fontweight("bold" if label.get_text() == population.metric else "normal")
figure.colorbar(image, label="Spearman's rho (in the cells: hundredths)", shrink=0.6, ticks=[-1, -0.5, 0, 0.5, 1])
save(figure, snakemake.output)
