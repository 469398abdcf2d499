"""What the stages share: the config, checked, and the lists that follow from it."""

import functools
import os
import sys
from pathlib import Path
from types import SimpleNamespace

# Relative to the working directory, so that a checkout can be moved without changing any job's inputs.
CHECKOUT = Path(os.path.relpath(workflow.basedir))
SOURCES = CHECKOUT / "config/sources.csv"
CONFIG_FILES = workflow.overwrite_configfiles or ["config/config.yaml"]
CONFIG_PLACE = " + ".join(map(str, CONFIG_FILES))

# Jobs run this checkout's code with the Python that runs Snakemake, whatever is installed or activated elsewhere.
PACKAGES = str(Path(workflow.basedir, "workflow"))
sys.path.insert(0, PACKAGES)
os.environ |= {
    "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGES, os.getenv("PYTHONPATH")])),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH")]),
}

from zsnas import devices, registry, sources
from zsnas.config import check, check_keys
from zsnas.errors import StudyError

DATA_DIR = os.path.expanduser(str(config.get("data_dir", "data")))  # what is no text, `check` tells
if workflow.is_main_process:
    try:
        for file in CONFIG_FILES:
            check_keys(file)
        check(config, CONFIG_PLACE, SOURCES, DATA_DIR)
    except (StudyError, OSError) as error:
        # Snakemake does not tell a run's targets while it reads the rules; `fetch` tells of all files.
        if "fetch" not in sys.argv or not isinstance(error, (sources.Missing, sources.Unusable)):
            sys.exit(f"error: {error}")

PROXIES = registry.proxies()
SHOWN = list(dict.fromkeys(["params", "macs", "conv_count", "random", *config["proxies"]]))  # baselines, control
AGGREGATES = [name for name in SHOWN if PROXIES[name].members]
COMPUTED = list(dict.fromkeys([*SHOWN, *(member for name in AGGREGATES for member in PROXIES[name].members)]))
STRUCTURAL = [name for name in COMPUTED if PROXIES[name].structural]
NETWORK_PROXIES = [name for name in COMPUTED if PROXIES[name].of_networks]
MEMBERS = config.get("bundles", {})
BUNDLE_OF = {name: bundle for bundle, members in MEMBERS.items() for name in members}
BUNDLES = list(dict.fromkeys(BUNDLE_OF.get(name, name) for name in NETWORK_PROXIES))
TASKS = [(space, task) for space, study in config["spaces"].items() for task in study["tasks"]]
TRUTHS = [(space, task, truth) for space, task in TASKS for truth in config["spaces"][space]["tasks"][task]]
DEVICES = config.get("devices", [])
LOOKED_UP = [name for name in DEVICES if devices.looked_up(name)]
PREDICTED = [name for name in DEVICES if devices.prediction(name)]
FITTED_ON = [devices.prediction(name)[1] for name in PREDICTED]
MEASURED = list(dict.fromkeys([*filter(devices.parse, DEVICES), *FITTED_ON]))
REMOTE = [name for name in MEASURED if devices.parse(name).host]
BOARDS = list(dict.fromkeys(devices.parse(name).host for name in REMOTE))
REPEATEDLY = MEASURED if config.get("measured_twice") else []
SEVERAL_TRUTHS = [cell for cell in TASKS if len(config["spaces"][cell[0]]["tasks"][cell[1]]) > 1]
SEARCHED = list(dict.fromkeys((space, task) for space, task, _ in TRUTHS)) if config.get("search") else []


wildcard_constraints:
    space="|".join(config["spaces"]),
    task="|".join(dict.fromkeys(task for _, task in TASKS)),
    truth="|".join(dict.fromkeys(truth for *_, truth in TRUTHS)) or "none",
    bundle="|".join(BUNDLES) or "none",
    device="|".join([*MEASURED, *LOOKED_UP, *PREDICTED]) or "none",
    inputs=config["inputs"],
    session="first|second",
    sampled_from=r"(\w+-)?",
    seed=r"\d+",
    batch=r"\d+",
    size=r"\d+",
    shard=r"\d{4}",


def members(bundle):
    """The proxies that a bundle computes; a proxy in no bundle is a bundle of its own."""
    return MEMBERS.get(bundle, [bundle])


def shard_size(space):
    """Networks per shard: the space's own, or the study's."""
    return config["spaces"][space].get("shard_size", config["shard_size"])


def sampled_from(space):
    """The truth that the networks of a space are sampled from, as paths of shards have it; nothing for all networks."""
    truth = config["spaces"][space].get("sampled_from")
    return f"{truth}-" if truth else ""


def checked(path, writer, **wildcards):
    """A file that a checkpoint, `writer`, writes, as an input.

    Snakemake takes all jobs below one that is due for due as well; after a checkpoint it looks again, and where the file
    was written with the same bytes no job is due. One that is missing is asked for as a file, for as a checkpoint
    Snakemake would wait for it even where nothing made it due.
    """
    if Path(path).is_file():
        writer.get(**wildcards)
    return path


def networks(wildcards):
    """The index that shards are cut from: of the whole space, or of what a truth has."""
    place = {"space": wildcards.space}
    path = checked(f"results/spaces/{wildcards.space}/architectures.parquet", checkpoints.architectures, **place)
    if truth := wildcards.sampled_from.removesuffix("-"):
        place |= {"task": wildcards.task, "truth": truth}
        path = checked(
            "results/spaces/{space}/{task}/{truth}.parquet".format(**place), checkpoints.sampled_from, **place
        )
    return path


def shards(space):
    """Numbers of the shards that hold the networks asked for, as four digits."""
    count = -(-config["spaces"][space]["architectures"] // shard_size(space))
    return [f"{shard:04d}" for shard in range(count)]


def code(*files):
    """An input function: files of workflow/ and what they import of the package, so all that shapes a job's numbers."""
    return lambda wildcards: imported(*files)


def imported(*files):
    """The files that `code` tells of, by name or in full."""
    return in_checkout(registry.imported_files(*(registry.PACKAGE.parent / file for file in files)))


@functools.cache  # asked for by every job
def in_checkout(files):
    """Files that the registry names in full, from the working directory as all inputs are."""
    return [CHECKOUT / "workflow" / file.relative_to(registry.PACKAGE.parent) for file in sorted(files)]


def truth_source(wildcards):
    """The source of a truth, and the file it is read from.

    The job that reads a file which is gone lacks its input; Snakemake then takes the table that is there as it is.
    """
    return sources.locate(wildcards.space, wildcards.task, wildcards.truth, SOURCES, DATA_DIR, or_table=True)


def training(wildcards):
    """What a truth is and how it was trained, for captions."""
    source, _ = truth_source(wildcards)
    direction = "" if source.larger_is_better else ", smaller is better"
    return f"{source.metric}{direction}, split {source.split or 'not stated'}, epochs {source.epochs or 'not stated'}"


def judged_on(wildcards):
    """How many architectures of a space a figure's truth has, all where it names none or the truth is of all."""
    there = truth_source(wildcards)[0].architectures if "truth" in wildcards.keys() else None
    return there or registry.spaces()[wildcards.space].architectures


def on_board(host):
    """An input function: whether a job measures on a board, which has room for one."""
    return lambda wildcards: int(devices.parse(wildcards.device).host == host)


def remote_python(wildcards):
    """The Python to start on another machine."""
    return config.get("remote_python", {}).get(devices.parse(wildcards.device).host, "python3")


def measured_sample(wildcards):
    """The measured latencies that a predicted device rests on."""
    _, measured = devices.prediction(wildcards.device)
    return f"results/latency/{wildcards.space}/{wildcards.task}/{measured}.parquet"


def cost_sources(wildcards):
    """The sources of a looked-up device's latency and energy, and the files they are read from."""
    source = devices.looked_up(wildcards.device)
    return sources.locate_costs(wildcards.space, wildcards.task, source, SOURCES, DATA_DIR, or_table=True)


def lists(wildcards):
    """The files that list a space's architectures; none for a space that enumerates them."""
    return sources.lists(registry.spaces()[wildcards.space], DATA_DIR, or_index=True)


def space_files(wildcards):
    """The file that declares a space, and what it imports of the package."""
    return imported(registry.spaces()[wildcards.space].file)


def structure_files(wildcards):
    """Those of `space_files` that shape what structural proxies read."""
    return in_checkout(registry.structure_files(wildcards.space))


def network_files(wildcards):
    """Those of `space_files` that shape networks."""
    return in_checkout(registry.network_files(wildcards.space))


def reader_files(located):
    """The files that declare the readers of sources, and what these import; located: pairs of source and its file."""
    return imported(*(f"zsnas/readers/{source.reader}.py" for source, _ in located))


def proxy_files(names):
    """The files that declare these proxies."""
    return sorted({PROXIES[name].file for name in names})


def scoring_code(wildcards):
    """The program that scores and the files of a bundle's proxies, with what these import."""
    return imported("zsnas/score.py", *proxy_files(members(wildcards.bundle)))


def measuring_code(wildcards):
    """The program that measures and the file of a device's plug-in, with what these import."""
    return imported("zsnas/latency.py", f"zsnas/devices/{devices.parse(wildcards.device).plugin}.py")


def image_file(wildcards):
    """The .npz the config names for a task; none where the official data set is to be fetched."""
    file = config.get("images", {}).get(wildcards.task)
    return [Path(DATA_DIR, file)] if file else []


def images(wildcards):
    """Real images to score with, where the config asks for them."""
    if wildcards.inputs != "images":
        return []
    place = {"space": wildcards.space, "task": wildcards.task}
    return [checked("results/images/{space}/{task}.npz".format(**place), checkpoints.images, **place)]


def score_shards(wildcards):
    """All shards of all bundles and seeds of a space and task."""
    return expand(
        SHARD,
        bundle=BUNDLES,
        seed=config["seeds"],
        inputs=config["inputs"],
        batch=config["batch"],
        sampled_from=sampled_from(wildcards.space),
        size=shard_size(wildcards.space),
        shard=shards(wildcards.space),
        allow_missing=True,
    )


def latency_shards(wildcards):
    """All shards of a space, task and device."""
    return session_shards(wildcards.space, "first", config["spaces"][wildcards.space]["architectures"])


def second_shards(wildcards):
    """The shards of a space, task and device that are measured twice: those that hold the networks asked for."""
    return session_shards(wildcards.space, "second", config.get("measured_twice", 0))


def session_shards(space, session, networks):
    """The shards of a measuring session that hold the first `networks`, as far as the study has them."""
    size = shard_size(space)
    numbers = shards(space)[: -(-networks // size)]
    fixed = {"session": session, "sampled_from": sampled_from(space), "size": size}
    return expand(DEVICE_SHARD, **fixed, shard=numbers, allow_missing=True)


def every_shard(_):
    """All shards of the study: targets, so that one deleted is computed again though it has been gathered."""
    cells = [SimpleNamespace(space=space, task=task) for space, task in TASKS]
    return [
        *(shard for cell in cells for shard in expand(score_shards(cell), **vars(cell))),
        *(
            shard
            for cell in cells
            for shard in expand(latency_shards(cell) + second_shards(cell), device=MEASURED, **vars(cell))
        ),
    ]


def truth_tables(wildcards):
    """The truths of a space and task."""
    truths = config["spaces"][wildcards.space]["tasks"][wildcards.task]
    return expand("results/truth/{space}/{task}/{truth}.parquet", truth=truths, allow_missing=True)


def analysis_input(wildcards):
    """What an analysis reads: the joined study, the scores themselves for what they cost, or other analyses."""
    if wildcards.analysis == "prediction":
        return [HELD_OUT.format(space=space, task=task, device=name) for space, task in TASKS for name in PREDICTED]
    if wildcards.analysis == "repeatability":
        return [REPEATED.format(space=space, task=task, device=name) for space, task in TASKS for name in REPEATEDLY]
    if wildcards.analysis == "search":
        return ["results/analysis/cost.parquet", *(SEARCHES.format(space=space, task=task) for space, task in SEARCHED)]
    if wildcards.analysis == "trust":
        return expand("results/analysis/{table}.parquet", table=["regret", "hardware", "pareto"])
    return SCORES if wildcards.analysis == "cost" else ["results/study.parquet"]


def analysis_options(wildcards):
    """What an analysis is asked, and no setting that it does not read, for that would make it due."""
    options = []
    if wildcards.analysis not in ("trust", "prediction", "repeatability", "search"):
        options += ["--proxies", *SHOWN]
    if wildcards.analysis == "cost":
        options += ["--tasks", *(f"{space}/{task}" for space, task in TASKS)]
    elif wildcards.analysis not in ("selection", "budget", "trust"):
        options += ["--replicates", config["replicates"]]
    return options


def analysis_code(wildcards):
    """The program that runs analyses and the file of this one, with what these import."""
    return imported("zsnas/judge/__main__.py", f"zsnas/judge/{wildcards.analysis}.py")
