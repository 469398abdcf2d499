"""The prediction table: how far a predicted device's latencies can be trusted, on measured networks it had not seen."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from .statistics import interval, sample_weights

ERRORS = ("rmse_ms", "mape", "spearman")
COLUMNS = ["space", "task", "device", "n", *(f"{e}{end}" for e in ERRORS for end in ("", "_low", "_high"))]


def prediction_table(*held_out, replicates=1000, seed=0):
    """Errors of every predicted device over its ``n`` measured networks, each predicted while held out.

    ``rmse_ms`` is the root of the mean squared error, ``mape`` the mean absolute error in percent of the measured
    latency, ``spearman`` the rank correlation. Intervals are 95 % percentiles of a bootstrap over networks.
    """
    rows = []
    for (space, task, device), cell in pd.concat(held_out).groupby(["space", "task", "device"]):
        measured, said = cell["latency_ms"].to_numpy(), cell["predicted_ms"].to_numpy()
        weights = sample_weights(cell["canonical"].to_numpy(str), replicates, seed)
        samples = [np.repeat(np.arange(len(cell)), weight) for weight in weights]
        values = np.array([errors(measured[sample], said[sample]) for sample in samples]).T
        rows.append((space, task, device, len(cell), *(bound for value in values for bound in interval(value))))
    return pd.DataFrame(rows, columns=COLUMNS)


def errors(measured, said):
    """The three of `ERRORS`."""
    apart = said - measured
    return np.sqrt(np.mean(apart**2)), 100 * np.mean(np.abs(apart) / measured), spearmanr(measured, said).statistic
