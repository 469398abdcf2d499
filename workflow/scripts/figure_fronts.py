"""Accuracy against latency and energy, one panel per device: the fronts of the best proxies and the true front."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

from zsnas.judge.pareto import traced_front
from zsnas.judge.population import candidates, mean_score, whole_and_sampled
from zsnas.plotting import (
    COST_NAMES,
    SERIES,
    draw_front,
    label_percentiles,
    percentile,
    read_cell,
    read_population,
    save,
    spread_costs,
)

BEST = 4  # proxies drawn beside the baseline and the control
COLUMNS = 3
CHEAPEST = 0.025  # share of the architectures left of the axis
UNITS = {"latency_ms": "ms", "energy_mj": "mJ"}
plt.style.use(snakemake.input.style)

population = read_population(snakemake.input.study, snakemake.wildcards)
table = read_cell(snakemake.input.pareto, snakemake.wildcards).query("proxy not in ('oracle', 'random') and n > 0")
ratios = table.pivot(index="proxy", columns=["device", "cost"], values="hypervolume_ratio")
same = (ratios == ratios.loc["params"]).all(axis=1)  # as macs, where they rank alike
ranked = ratios[~same].mean(axis=1).sort_values(ascending=False, kind="stable").index
shown = [*ranked[:BEST], "params"]
looks = dict(zip(shown, SERIES)) | {"random": SERIES[-1]}
costs = {
    (kind, device): population.costs[kind, device]
    for kind in COST_NAMES
    for device in sorted(device for other, device in population.costs if other == kind)
    if np.isfinite(population.costs[kind, device]).any()
}

columns = min(COLUMNS, len(costs))
rows = -(-len(costs) // columns)
figure, axes = plt.subplots(
    rows, columns, figsize=(max(4, 7 * columns / COLUMNS), 0.6 + 1.75 * rows), sharey=True, squeeze=False
)
for ax in axes.flat[len(costs) :]:
    ax.set_visible(False)
heights = percentile(population.truth, population.truth)  # panels share them, whatever each device runs
for ax, ((kind, device), cost) in zip(axes.flat, costs.items()):
    known = np.isfinite(cost)
    eligible = known & candidates(population)
    ax.scatter(
        cost[known], heights[known], s=1.5, color="#c8c8c8", linewidths=0, rasterized=True, label="architectures"
    )
    fronts = {"true front": (known, population.truth, {"color": "black", "linewidth": 0.8})}
    if "sampled" in whole_and_sampled(population):
        fronts["true front of the sample"] = (eligible, population.truth, {"color": "black", "linestyle": ":"})
    for proxy in looks:
        if proxy in population.scores:
            score = mean_score(population, proxy)
            fronts[proxy] = (eligible & np.isfinite(score), score, {"linewidth": 0.9, "markersize": 2} | looks[proxy])
    for name, (among, score, look) in fronts.items():
        if not among.any():  # the control may have no score of what runs here
            continue
        front = traced_front(cost[among], score[among], population.truth[among])
        draw_front(ax, cost[among], heights[among], front, label=name, **look)
    ax.set_title(fill(device, 32))  # as wide as a panel
    ax.set_xlabel(f"{COST_NAMES[kind]} ({UNITS[kind]})")
    spread_costs(ax)
    # Networks without a path from input to output cost next to nothing and would fill half of the axis.
    ax.set_xlim(left=0.9 * np.quantile(cost[known], CHEAPEST))
    label_percentiles(ax, population.truth, population.sign)
figure.supylabel(f"{population.metric}, spaced by rank", fontsize=7)
figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
save(figure, snakemake.output)
