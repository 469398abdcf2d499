"""Regret and hypervolume of searches with the best proxies: against networks scored, and regret against seconds."""

import matplotlib.pyplot as plt
import numpy as np

from zsnas.plotting import SERIES, read_cell, save, spread_costs

ALGORITHMS = {"random": ":", "evolution": "-", "nsga2": "--"}
BEST = 3  # proxies drawn beside the baseline and the controls
PANELS = {"regret": "regret", "hypervolume_ratio": "hypervolume ratio"}
ALONG = {"scored": "networks scored", "seconds": "seconds"}
plt.style.use(snakemake.input.style)

table = read_cell(snakemake.input.search, snakemake.wildcards)
controls = ["params", "random", "oracle"]
last = table[(table.algorithm == "evolution") & ~table.proxy.isin(controls)]
last = last.loc[last.groupby(["proxy", "device", "budgets"]).evaluations.idxmax()]
fullest = last[last.n >= 0.5 * table.groupby(["device", "budgets"]).n.transform("max").loc[last.index]]
ranked = (last if fullest.empty else fullest).groupby("proxy").regret.mean().sort_values(kind="stable").index
shown = [name for name in [*ranked[:BEST], *controls] if name in set(table.proxy)]
looks = dict(zip(shown, SERIES))
table = table[table.proxy.isin(shown) & (table.algorithm != "exhaustive")]
# Where a device's budget admits fewer networks, its search ends sooner and stays at what it has found.
keys = ["device", "budgets", "proxy", "algorithm"]
ends = [f"{measure}{end}" for measure in PANELS for end in ("", "_low", "_high")]
wide = table.set_index([*keys, "evaluations"])[[*ALONG, *ends]].unstack("evaluations")
moments = table[table.algorithm == "nsga2"].evaluations.unique()  # it is never short of networks
table = wide.T.groupby(level=0).ffill().T.stack("evaluations").reset_index().query("evaluations in @moments")
# A line is the mean over devices: their intervals, of seeds that are independent, add up in squares.
by = ["budgets", "proxy", "algorithm", "evaluations"]
devices = table.device.nunique()
mean = table.groupby(by)[[*ALONG, *PANELS]].mean()
for measure in PANELS:
    for end in ("low", "high"):
        apart = ((table[f"{measure}_{end}"] - table[measure]) ** 2).groupby([table[name] for name in by]).sum()
        mean[f"{measure}_{end}"] = mean[measure] + (1 if end == "high" else -1) * np.sqrt(apart) / devices
mean = mean.reset_index()

columns = [("scored", "regret"), ("scored", "hypervolume_ratio"), ("seconds", "regret")]
figure, axes = plt.subplots(2, 3, figsize=(7, 4.6), sharex="col", sharey="col")
for row, budgets in zip(axes, ("tight", "loose")):
    for ax, (along, measure) in zip(row, columns):
        for (proxy, algorithm), line in mean[mean.budgets == budgets].groupby(["proxy", "algorithm"]):
            colour = looks[proxy]["color"]
            look = {"color": colour, "linewidth": 0.9, "markersize": 2}  # of a few networks a line is a single point
            ax.plot(line[along], line[measure], f"{ALGORITHMS[algorithm]}o", **look)
            if algorithm == "evolution":
                low, high = line[f"{measure}_low"], line[f"{measure}_high"]
                ax.fill_between(line[along], low, high, color=colour, alpha=0.2, linewidth=0)
        if along == "scored":
            spread_costs(ax)
        else:  # many powers of ten
            ax.set_xscale("log")
        ax.set_title(f"{budgets} budgets")
        ax.set_ylabel(PANELS[measure])
for ax, (along, _) in zip(axes[1], columns):
    ax.set_xlabel(ALONG[along])
handles = [plt.Line2D([], [], color=look["color"], label=proxy) for proxy, look in looks.items()]
handles += [plt.Line2D([], [], color="black", linestyle=style, label=name) for name, style in ALGORITHMS.items()]
figure.legend(handles=handles, loc="outside upper center", ncols=5)
save(figure, snakemake.output)
