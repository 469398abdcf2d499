"""The study: everything known of an architecture in one row, and how each number came about."""

ALL_SCORES = SCORE_FILES + (["results/scores/{space}/{task}/aggregates.parquet"] if AGGREGATES else [])
SCORES = list(dict.fromkeys(file.format(space=space, task=task) for space, task in TASKS for file in ALL_SCORES))


rule join:
    """Join scores, truth and latency of a space and task."""
    input:
        architectures="results/spaces/{space}/architectures.parquet",
        scores=ALL_SCORES,
        truths=truth_tables,
        latencies=expand("results/latency/{space}/{task}/{device}.parquet", device=DEVICES, allow_missing=True),
        code=code("zsnas/join.py"),
    output:
        "results/study/{space}-{task}.parquet",
    log:
        "logs/join/{space}-{task}.log",
    benchmark:
        "benchmarks/join/{space}-{task}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        proxies=SHOWN,
        seeds=config["seeds"],
    message:
        "Join scores, truth and latency of {wildcards.space}, {wildcards.task}."
    shell:
        "python -m zsnas.join"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --proxies {params.proxies}"
        " --architectures {input.architectures}"
        " --scores {input.scores}"
        " --seeds {params.seeds}"
        " --truths {input.truths}"
        " --latencies {input.latencies}"
        " --output {output} 2> {log}"


rule study:
    """Put all spaces and tasks together."""
    input:
        [f"results/study/{space}-{task}.parquet" for space, task in TASKS],
    output:
        "results/study.parquet",
    log:
        "logs/study.log",
    benchmark:
        "benchmarks/study.tsv"
    conda:
        "../../envs/zsnas.yaml"
    script:
        "../scripts/study.py"


rule manifest:
    """Record how the study's numbers came about."""
    input:
        study="results/study.parquet",
        scores=SCORES,
        latencies=[f"results/latency/{space}/{task}/{device}.parquet" for space, task in TASKS for device in DEVICES],
        truths=[f"results/truth/{space}/{task}/{truth}.parquet" for space, task, truth in TRUTHS],
        # Not read: where they are judged anew, so is noted by what.
        analyses=lambda _: expand("results/analysis/{analysis}.parquet", analysis=TABLES),
    output:
        "results/manifest.json",
    log:
        "logs/manifest.log",
    benchmark:
        "benchmarks/manifest.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        config=config,
    script:
        "../scripts/manifest.py"
