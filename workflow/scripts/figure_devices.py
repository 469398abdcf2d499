"""How each proxy goes with a device's cost, and what is left of its correlation with truth at equal cost."""

import matplotlib.pyplot as plt

from zsnas.plotting import COST_NAMES, explain_colours, label_devices, name_cells, read_cell, save, write_hundredths

PANELS = {
    "cost_spearman": "with cost",
    "truth_spearman": "with truth",
    "partial_spearman": "with truth\nat equal cost",
}
plt.style.use(snakemake.input.style)

table = read_cell(snakemake.input.hardware, snakemake.wildcards)
table = table[table.set == table.set.max()]  # `sampled`, where it is there, for there all proxies compare
table = table.assign(column=table.device + ", " + table.cost.map(COST_NAMES))
panels = {name: table.pivot(index="proxy", columns="column", values=name) for name in PANELS}
proxies = panels["partial_spearman"].mean(axis=1).sort_values(ascending=False, kind="stable").index
columns = panels["partial_spearman"].columns
labels, beginning = label_devices(columns)

size = (2.6 + 0.2 * len(PANELS) * len(columns), 1 + 0.16 * len(proxies) + 0.065 * max(map(len, labels)))
figure, axes = plt.subplots(1, len(PANELS), figsize=size, sharey=True)
for ax, (name, title) in zip(axes, PANELS.items()):
    rho = panels[name].loc[proxies]
    image = ax.imshow(rho, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    write_hundredths(ax, rho, fontsize=5)
    ax.set_title(title)
    name_cells(ax, labels, proxies)
figure.supxlabel(beginning, fontsize=6.5)
explain_colours(figure, image, axes)
save(figure, snakemake.output)
