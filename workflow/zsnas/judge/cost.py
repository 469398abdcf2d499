"""The cost table: what a score takes to compute."""

COLUMNS = ["space", "task", "proxy", "seconds_per_arch", "seconds_shared", "peak_mb"]


def cost_table(scores):
    """Median seconds over the score rows that are ``ok`` and highest peak memory, by space, task and proxy.

    ``seconds_per_arch`` is the time of the proxy computed alone; ``seconds_shared`` its time within its bundle. Both
    are NaN where no row is ok.
    """
    by = ["space", "task", "proxy"]
    costs = scores.groupby(by, observed=True)["peak_mb"].max().to_frame()
    seconds = scores[scores["status"] == "ok"].groupby(by, observed=True)[["seconds", "seconds_shared"]].median()
    costs = costs.join(seconds).rename(columns={"seconds": "seconds_per_arch"})
    return costs.reset_index()[COLUMNS]
