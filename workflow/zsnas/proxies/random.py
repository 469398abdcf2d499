"""Control: a number without meaning, fixed by the architecture's name. Its correlation must lie near 0.

The name's 64-bit hash (SipHash with pandas' fixed key), as a fraction of its range.
"""

import pandas as pd

from zsnas import proxy


@proxy
def random(table):
    names = table.arch.to_numpy(object)
    return pd.util.hash_array(names, categorize=False) / 2**64
