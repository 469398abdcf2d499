"""The prediction table: how far a predicted device's latencies can be trusted, on measured networks it had not seen."""

from itertools import chain

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from .statistics import bootstrapped

ERRORS = ("rmse_ms", "mape", "spearman")
COLUMNS = ["space", "task", "device", "n", *(f"{e}{end}" for e in ERRORS for end in ("", "_low", "_high"))]


def prediction_table(*held_out, replicates=1000, seed=0):
    """Errors of every predicted device over its ``n`` measured networks, each predicted while held out.

    ``rmse_ms`` is the root of the mean squared error, ``mape`` the mean absolute error in percent of the measured
    latency, ``spearman`` the rank correlation. Intervals are 95 % percentiles of a bootstrap over networks.
    """
    rows = []
    for (space, task, device), networks in pd.concat(held_out).groupby(["space", "task", "device"]):
        columns = networks[["latency_ms", "predicted_ms"]].to_numpy().T
        bounds = bootstrapped(errors, columns, networks["canonical"].to_numpy(str), replicates, seed)
        rows.append((space, task, device, len(networks), *chain(*bounds)))
    return pd.DataFrame(rows, columns=COLUMNS)


def errors(measured, said):
    """The three of `ERRORS`."""
    apart = said - measured
    return np.sqrt(np.mean(apart**2)), 100 * np.mean(np.abs(apart) / measured), spearmanr(measured, said).statistic
