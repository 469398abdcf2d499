"""Spearman's rho of every proxy with each truth, and what a proxy knows of the other truths beyond the reference."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from zsnas.plotting import SERIES, read_cell, save

plt.style.use(snakemake.input.style)

table = read_cell(snakemake.input.robustness, snakemake.wildcards).query("set == 'all'")
(reference,) = table.reference.unique()
ends = ["", "_low", "_high"]
first = table.drop_duplicates("proxy").assign(truth=reference)
first[[f"spearman{end}" for end in ends]] = first[[f"reference_spearman{end}" for end in ends]].to_numpy()
first[[f"partial_spearman{end}" for end in ends]] = np.nan
table = pd.concat([first, table])
truths = table.truth.unique()
proxies = table.groupby("proxy").spearman.mean().sort_values(kind="stable", na_position="first").index
counts = table.groupby("proxy").n.min()
height = dict(zip(proxies, range(len(proxies))))

figure, axes = plt.subplots(1, 2, figsize=(7, 1 + (0.1 + 0.035 * len(truths)) * len(proxies)), sharey=True)
for ax, measure in zip(axes, ("spearman", "partial_spearman")):
    for row in range(0, len(proxies), 2):
        ax.axhspan(row - 0.5, row + 0.5, color="#f4f4f4", linewidth=0, zorder=-1)
    for place, (truth, look) in enumerate(zip(truths, cycle(SERIES))):
        rows = table[table.truth == truth]
        at = rows.proxy.map(height) + 0.14 * ((len(truths) - 1) / 2 - place)
        ax.hlines(at, rows[f"{measure}_low"], rows[f"{measure}_high"], color=look["color"], linewidth=0.6)
        ax.plot(rows[measure], at, linestyle="", markersize=2.5, label=truth, **look)
    ax.axvline(0, color="black", linewidth=0.6, zorder=0)
    ax.grid(axis="x")
axes[0].set(xlabel="Spearman's rho with the truth", ylim=(-0.5, len(proxies) - 0.5))
axes[1].set(xlabel=f"partial rho, ranks by {reference} held fixed")
axes[0].set_yticks(range(len(proxies)), [f"{proxy}, n = {counts[proxy]:,}" for proxy in proxies])
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
save(figure, snakemake.output)
