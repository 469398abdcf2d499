"""Run one analysis: `python -m zsnas.judge ANALYSIS --output OUT FILE...`."""

import argparse
import inspect

import numba
import pandas as pd

from zsnas import errors, judge, registry
from zsnas.files import read_columns, read_provenance, write_parquet

OF_STUDY = {
    "correlation": judge.correlation_table,
    "selection": judge.selection_table,
    "pareto": judge.pareto_table,
    "budget": judge.budget_table,
    "regret": judge.regret_table,
    "hardware": judge.hardware_table,
    "robustness": judge.robustness_table,
}
OF_TABLES = {
    "trust": judge.trust_table,
    "prediction": judge.prediction_table,
    "repeatability": judge.repeatability_table,
    "search": judge.search_table,
}
OF_SCORES = ["space", "task", "canonical", "seed", "proxy", "status"]  # what costs are read from
OF_SCORES += ["seconds", "seconds_shared", "peak_mb"]


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.judge", description="Run one analysis.")
    parser.add_argument("analysis", choices=[*OF_STUDY, *OF_TABLES, "cost"])
    parser.add_argument("files", nargs="+", help="study.parquet; for cost files of scores, for others tables")
    parser.add_argument("--proxies", nargs="+", help="for analyses of the study or of scores")
    parser.add_argument("--tasks", nargs="+", help="as space/task, for cost")
    parser.add_argument("--replicates", type=int, help="of the bootstrap, for analyses with one of their own")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    numba.set_num_threads(min(arguments.threads, numba.config.NUMBA_NUM_THREADS))
    function = (OF_STUDY | OF_TABLES).get(arguments.analysis)
    needed = {
        "proxies": arguments.analysis not in OF_TABLES,
        "tasks": function is None,
        "replicates": function is not None and "replicates" in inspect.signature(function).parameters,
    }
    for option, needs in needed.items():
        if needs != (getattr(arguments, option) is not None):
            parser.error(f"{arguments.analysis} {'needs' if needs else 'does not read'} --{option}")
    options = {"replicates": arguments.replicates} if needed["replicates"] else {}
    if arguments.analysis == "cost":
        scores = (read_columns(file, OF_SCORES) for file in arguments.files)
        table = judge.cost_table(scores, [task.split("/") for task in arguments.tasks], arguments.proxies)
    elif arguments.analysis in OF_TABLES:
        table = function(*map(pd.read_parquet, arguments.files), **options)
    else:
        (file,) = arguments.files
        proxies = {name: registry.proxies()[name] for name in arguments.proxies}
        truths = read_provenance(file)["truths"]
        table = function(pd.read_parquet(file), truths, proxies, **options)
    write_parquet(table, arguments.output)


if __name__ == "__main__":
    errors.run(main)
