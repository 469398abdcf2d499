"""Second against first measurement of the same networks, and how far apart they are."""

import matplotlib.pyplot as plt
import pandas as pd

from zsnas.plotting import SERIES, read_cell, save, spread_costs

plt.style.use(snakemake.input.style)

both = pd.read_parquet(snakemake.input.repeated)
(row,) = read_cell(snakemake.input.repeatability, snakemake.wildcards).itertuples()
apart = 200 * (both.again_latency_ms - both.latency_ms) / (both.again_latency_ms + both.latency_ms)
raw = 200 * (both.again_latency_raw_ms - both.latency_raw_ms) / (both.again_latency_raw_ms + both.latency_raw_ms)
dots, corrected_look, raw_look = {"linestyle": "", "markersize": 2.5}, SERIES[0], SERIES[-1]

figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
ends = both.latency_ms.min(), both.latency_ms.max()
left.plot(ends, ends, color="black", linewidth=0.6, label="equal")
left.plot(both.latency_ms, both.again_latency_ms, **dots, **corrected_look, label="network")
spread_costs(left, "xy")
left.set(xlabel="first latency (ms)", ylabel="second latency (ms)")
left.set_title(f"Spearman {row.spearman:.3f} [{row.spearman_low:.3f}, {row.spearman_high:.3f}], n = {row.n}")
left.legend(loc="lower right")
right.axhline(0, color="black", linewidth=0.6)
right.plot(both.latency_ms, raw, **dots, **raw_look, label="raw")
right.plot(both.latency_ms, apart, **dots, **corrected_look, label="corrected for drift")
spread_costs(right)
right.set(xlabel="first latency (ms)", ylabel="second less first (% of their mean)")
right.set_title(f"median apart {row.apart:.1f} % [{row.apart_low:.1f}, {row.apart_high:.1f}]")
right.legend()
save(figure, snakemake.output)
