"""The index of a space, where there is nothing to say of its architectures beyond their names and sizes."""

import pandas as pd


def of_distinct(names, params, macs, **columns):
    """The index of architectures that are all different networks without a dead operation, in the order of `names`.

    Each column holds one value per architecture, or one for all; `columns` follow those of every space.
    """
    return pd.DataFrame(
        {
            "arch": names,
            "canonical": names,
            "iso_class": range(len(names)),
            "reachable": True,
            "connected": True,
            "params": params,
            "macs": macs,
            **columns,
        }
    )
