"""The cost table: what a score takes to compute."""

import pandas as pd

KEY = ["space", "task", "proxy"]
COLUMNS = [*KEY, "seconds_per_arch", "seconds_shared", "peak_mb"]


def cost_table(scores, tasks, proxies):
    """Median seconds over the score rows that are ``ok`` and highest peak memory, by space, task and proxy.

    ``seconds_per_arch`` is the time of the proxy computed alone; ``seconds_shared`` its time within its bundle. Both
    are NaN where no row is ok. ``scores`` are frames, read one after the other, for all at once need much memory;
    structural ones, which know no task, stand for all of ``tasks`` (pairs of space and task) of their space.
    ``proxies`` are those to show.
    """
    tasks = pd.DataFrame(tasks, columns=["space", "task"])
    shown = (frame[frame["proxy"].isin(proxies)] for frame in scores)
    tables = [costs(frame if "task" in frame else frame.merge(tasks, on="space")) for frame in shown]
    return pd.concat(tables).astype(dict.fromkeys(KEY, str)).sort_values(KEY, ignore_index=True)[COLUMNS]


def costs(scores):
    """The table's rows of one frame; what architectures share, as an aggregate's costs, was computed once."""
    if "canonical" in scores:
        scores = scores.drop_duplicates([*KEY, "canonical", "seed"])
    highest = scores.groupby(KEY, observed=True)["peak_mb"].max().to_frame()
    seconds = scores[scores["status"] == "ok"].groupby(KEY, observed=True)[["seconds", "seconds_shared"]].median()
    return highest.join(seconds).rename(columns={"seconds": "seconds_per_arch"}).reset_index()
