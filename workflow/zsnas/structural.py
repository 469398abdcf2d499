"""Score all architectures of a space by structural proxies: `python -m zsnas.structural`.

One row per architecture and proxy, with the columns of a score shard but keyed by `arch`; `seconds` are per
architecture.
"""

import argparse
import time
from resource import RUSAGE_SELF, getrusage

import numpy as np
import pandas as pd

from zsnas import errors, registry
from zsnas.files import write_parquet
from zsnas.provenance import environment
from zsnas.whole_space import numbers, with_status

ROWS = 8192  # scored at once; of so many the intermediate arrays stay in the processor's cache


def values(proxy, space, architectures):
    """The proxy's values of a space's architectures, from the index and the structures that its parameters name."""
    frames = {"table": architectures}
    if "live" in proxy.needs:
        networks = architectures.set_index("arch", drop=False).loc[architectures.canonical]
        frames["live"] = networks.set_axis(architectures.index)
    parts = [slice(start, start + ROWS) for start in range(0, len(architectures), ROWS)]
    return np.concatenate(
        [values_of_rows(proxy, space, {name: frame[part] for name, frame in frames.items()}) for part in parts]
    )


def values_of_rows(proxy, space, frames):
    table = frames["table"]

    def given(need):
        return frames[need] if need in frames else getattr(registry.load_space(space), need)(table)

    found = proxy.function(**{need: given(need) for need in proxy.needs})
    if isinstance(found, pd.Series):
        if not found.index.sort_values().equals(table.index.sort_values()):
            raise ValueError("it returned a Series whose index is not that of the table")
        found = found.reindex(table.index)  # for it may come in another order
    return numbers(found, len(table))


def score_and_status(proxy, space, architectures):
    """Score and status of each architecture; where the proxy does not apply or raises, one of both for all."""
    if reason := registry.reason_against(proxy.name, space):
        return np.nan, f"error: does not apply: {reason}"
    return with_status(lambda: values(proxy, space, architectures))


def score_structural(proxy, space, architectures):
    """One proxy's rows, one per architecture of the index."""
    if proxy.needs != ("table",):
        registry.load_space(space)  # importing it is no cost of the proxy
    start = time.perf_counter()
    score, status = score_and_status(proxy, space, architectures)
    seconds = (time.perf_counter() - start) / len(architectures)
    held = getrusage(RUSAGE_SELF).ru_maxrss * 1.024e-3  # told in KiB
    costs = {"seconds": seconds, "seconds_shared": seconds, "peak_mb": held}
    return pd.DataFrame({"arch": architectures.arch, "proxy": proxy.name, "score": score, "status": status, **costs})


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.structural", description="Score a whole space.")
    parser.add_argument("--space", required=True)
    parser.add_argument("--proxies", required=True, nargs="+")
    parser.add_argument("--architectures", required=True, help="the space's architectures.parquet")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    proxies = [registry.look_up("proxy", name, registry.proxies()) for name in arguments.proxies]
    architectures = pd.read_parquet(arguments.architectures)
    scores = [score_structural(proxy, arguments.space, architectures) for proxy in proxies]
    write_parquet(pd.concat(scores, ignore_index=True).assign(space=arguments.space), arguments.output, **environment())


if __name__ == "__main__":
    errors.run(main)
