"""Join what is known of a task's architectures: `python -m zsnas.join`. One row per architecture and seed.

Columns: the index (`arch`, `canonical`, `iso_class`, `reachable`, `connected`), `space`, `task`, `seed`, `sampled` (its
canonical network is among those the data-driven proxies scored), one column per proxy (NaN where a proxy failed, or
where an architecture was not sampled), `{metric}_{truth}` per truth, and `latency_ms_{device}`, `energy_mj_{device}`
per device. The file's provenance has under `truths`, for each column of a truth, whether larger is better.
"""

import argparse
from pathlib import Path

import pandas as pd

from zsnas import errors
from zsnas.devices import COSTS
from zsnas.files import read_columns, read_provenance, write_parquet

INDEX = ["arch", "canonical", "iso_class", "reachable", "connected"]


def join(index, seeds, scores, truths, latencies):
    """The joined frame.

    index: a space's architectures. scores: long frames of scores, by `arch` (structural), by `canonical` and `seed`, or
    by `arch`, `canonical` and `seed` (aggregates).
    truths, latencies: frames by truth and device name; a latency is given by `canonical` or by `arch`.
    """
    frame = index[INDEX].merge(pd.DataFrame({"seed": seeds}), how="cross")
    sampled = [name for long in scores if "arch" not in long for name in long.canonical.unique()]
    frame["sampled"] = frame.canonical.isin(sampled)
    for long in scores:
        keys = [key for key in ("arch", "canonical", "seed") if key in long]
        # One by one: a pivot of all needs many times the memory.
        for name, rows in long.groupby("proxy", observed=True):
            column = rows[[*keys, "score"]].rename(columns={"score": name}).astype(dict(frame.dtypes[keys]))
            frame = frame.merge(column, on=keys, how="left", validate="m:1")
    for name, truth in truths.items():
        values = truth[["arch"]].assign(**{truth_column(name, truth): truth.iloc[:, 1]})
        frame = frame.merge(values, on="arch", how="left", validate="m:1")
    for name, latency in latencies.items():
        key = "canonical" if "canonical" in latency else "arch"
        columns = {cost: f"{cost}_{name}" for cost in COSTS if latency[cost].notna().any()}
        frame = frame.merge(latency[[key, *columns]].rename(columns=columns), on=key, how="left", validate="m:1")
    return frame


def check_meeting(frame, truths, devices, cell):
    """StudyError for a truth (name: column) and a device that no architecture of the joined frame has both of."""
    for device in devices:
        costs = [column for column in (f"{cost}_{device}" for cost in COSTS) if column in frame]
        known = frame[costs].notna().any(axis=1)
        if truths and not known.any():
            raise errors.StudyError(f"{cell}: no network has a cost on {device}: mend the device, or leave it out")
        for name, column in truths.items():
            if not (known & frame[column].notna()).any():
                raise errors.StudyError(
                    f"{cell}: no architecture has both the truth {name} and a cost on {device}: measure networks that "
                    "the truth has (`sampled_from`), or leave one of the two out"
                )


def truth_column(name, truth):
    """The study's column of a truth: its metric, which names the second column of its table, and its name."""
    return f"{truth.columns[1]}_{name}"


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.join", description="Join what is known of a task.")
    parser.add_argument("--space", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--proxies", required=True, nargs="+", help="the proxies to keep")
    parser.add_argument("--architectures", required=True)
    parser.add_argument("--scores", nargs="+", required=True, help="files of scores, by architecture or by network")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--truths", nargs="*", default=[], help="files named by truth")
    parser.add_argument("--latencies", nargs="*", default=[], help="files named by device")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    scores = [read_columns(path, ["arch", "canonical", "seed", "proxy", "score"]) for path in arguments.scores]
    scored = {name for long in scores for name in long.proxy.unique()}
    if lacking := sorted(set(arguments.proxies) - scored):
        raise errors.StudyError(
            f"no scores of {', '.join(lacking)} for {arguments.space}, {arguments.task}: delete the shards of their "
            f"bundles, or of their members', in results/scores/{arguments.space}/{arguments.task}, and run again"
        )
    truths = {Path(path).stem: pd.read_parquet(path) for path in arguments.truths}
    latencies = {Path(path).stem: pd.read_parquet(path) for path in arguments.latencies}
    frame = join(pd.read_parquet(arguments.architectures), arguments.seeds, scores, truths, latencies)
    columns = {name: truth_column(name, truth) for name, truth in truths.items()}
    check_meeting(frame, columns, latencies, f"{arguments.space}, {arguments.task}")
    # Only now, for a network whose scores are not shown is sampled all the same.
    frame = frame.drop(columns=scored - set(arguments.proxies))
    frame.insert(0, "space", arguments.space)
    frame.insert(1, "task", arguments.task)
    directions = {
        column: read_provenance(path)["larger_is_better"] for path, column in zip(arguments.truths, columns.values())
    }
    write_parquet(frame, arguments.output, truths=directions)


if __name__ == "__main__":
    errors.run(main)
