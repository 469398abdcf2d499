"""Spearman correlation between all proxies and the truth, as a heat map in clustered order."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from zsnas.judge.population import mean_scores
from zsnas.plotting import explain_colours, name_cells, read_population, save, write_hundredths

plt.style.use(snakemake.input.style)

population = read_population(snakemake.input.study, snakemake.wildcards)
scores = pd.DataFrame(mean_scores(population))
spearman = scores.rename(columns={"oracle": population.metric}).corr("spearman")
distances = squareform(1 - spearman.fillna(0), checks=False)
order = leaves_list(linkage(distances, "average", optimal_ordering=True))
spearman = spearman.iloc[order, order]

side = 0.2 * len(order)
figure, ax = plt.subplots(figsize=(1.35 + side, 0.75 + side))
image = ax.imshow(spearman, cmap="RdBu_r", vmin=-1, vmax=1)
write_hundredths(ax, spearman.where(~np.eye(len(spearman), dtype=bool)), fontsize=5.5)
name_cells(ax, spearman.columns, spearman.index)
for label in [*ax.get_xticklabels(), *ax.get_yticklabels()]:
    label.set_fontweight("bold" if label.get_text() == population.metric else "normal")
explain_colours(figure, image, ax)
save(figure, snakemake.output)
