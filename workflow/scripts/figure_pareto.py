"""Accuracy against latency, one panel per proxy: what it chooses as the budget grows, and the true front."""

import matplotlib.pyplot as plt
import numpy as np

from zsnas.judge.pareto import traced_front, true_front
from zsnas.judge.population import candidates, mean_score, take
from zsnas.plotting import (
    GROUPS,
    draw_front,
    group,
    label_percentiles,
    panels,
    percentile,
    read_cell,
    read_population,
    save,
    spread_costs,
)

plt.style.use(snakemake.input.style)

population = read_population(snakemake.input.study, snakemake.wildcards)
latency = population.costs["latency_ms", snakemake.wildcards.device]
population = take(population, candidates(population) & np.isfinite(latency))
cost, accuracy = population.costs["latency_ms", snakemake.wildcards.device], population.truth
height = percentile(accuracy, accuracy)
table = read_cell(snakemake.input.pareto, snakemake.wildcards).query(
    "cost == 'latency_ms' and proxy != 'oracle' and n > 0"
)
table = table.sort_values("hypervolume_ratio", ascending=False, kind="stable")

figure, drawn = panels(table, 0.5, "latency (ms)", f"{population.metric}, spaced by rank")
for ax, row in drawn:
    score = mean_score(population, row.proxy)
    known = np.flatnonzero(np.isfinite(score))
    look = GROUPS[group(row.proxy)]
    ax.scatter(cost, height, s=2, color="#c8c8c8", linewidths=0, rasterized=True, label="architectures")
    chosen = known[traced_front(cost[known], score[known], accuracy[known])]
    draw_front(ax, cost, height, chosen, linewidth=1.5, markersize=2.5, label="choices of the proxy", **look)
    draw_front(ax, cost, height, true_front(cost, accuracy), linewidth=0.6, color="black", label="true front")
    ratio = f"HV {row.hypervolume_ratio:.2f} [{row.hypervolume_low:.2f}, {row.hypervolume_high:.2f}]"
    ax.set_title(f"{row.proxy}\n{ratio}", color=look["color"])
    spread_costs(ax)
    label_percentiles(ax, accuracy, population.sign)
figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
save(figure, snakemake.output)
