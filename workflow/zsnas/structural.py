"""Score all architectures of a space by structural proxies: `python -m zsnas.structural`. One row per architecture and
proxy, with the columns of a score shard but keyed by `arch`; `seconds` are per architecture."""

import argparse
import time
from resource import RUSAGE_SELF, getrusage

import numpy as np
import pandas as pd

from zsnas import errors, registry
from zsnas.files import write_parquet
from zsnas.provenance import environment


def score_structural(proxy, architectures):
    """One proxy's rows, one per architecture of the index; what it raises becomes the status of all."""
    start = time.perf_counter()
    try:
        score = np.asarray(proxy.function(architectures), float)
        status = np.select([np.isnan(score), np.isinf(score)], ["nan", "inf"], "ok")
        score = np.where(status == "ok", score, np.nan)
    except Exception as error:
        score, status = np.nan, f"error: {type(error).__name__}: {error}"
    seconds = (time.perf_counter() - start) / len(architectures)
    costs = {"seconds": seconds, "seconds_shared": seconds, "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss / 1e3}
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
    scores = pd.concat([score_structural(proxy, architectures) for proxy in proxies], ignore_index=True)
    write_parquet(scores.assign(space=arguments.space), arguments.output, **environment())


if __name__ == "__main__":
    errors.run(main)
