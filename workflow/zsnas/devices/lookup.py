"""Published measurements: latency, and energy where it was measured, from the files that config/sources.csv names."""

import numpy as np
import pandas as pd

from zsnas import sources
from zsnas.devices import COSTS
from zsnas.errors import StudyError


def latencies(located, architectures):
    """The published costs of a device, in the order of `architectures` (names of all the space's members).

    located: pairs of Source and path, one per kind of cost. Columns: arch, latency_ms, energy_mj (NaN where not
    measured), kind. An architecture that the device cannot run has no row. StudyError where a file does not fit the
    space: a stranger, an architecture named twice, fewer than the source says, or a cost that is not positive.
    """
    costs = {source.metric: cost(source, path, architectures) for source, path in located}
    frame = pd.DataFrame(costs, index=pd.Index(architectures, name="arch")).dropna(subset="latency_ms")
    return frame.reset_index().reindex(columns=["arch", *COSTS], fill_value=np.nan).assign(kind="lookup")


def cost(source, path, architectures):
    """One kind of cost by architecture."""
    values = sources.read(source, path, architectures)["value"]
    if len(values) < (source.architectures or 1):
        raise StudyError(
            f"{path} is incomplete: {len(values)} of {source.architectures or 'any'} architectures for {source}; "
            f"put the whole file{source.whence} in its place"
        )
    wrong = values[~(np.isfinite(values) & (values > 0))]
    if len(wrong):
        raise StudyError(
            f"{path}: {source.column!r} is {wrong.iloc[0]:g} for {wrong.index[0]!r}; a {source.metric} is above 0, "
            "leave the cell empty where the device cannot run a network"
        )
    return values
