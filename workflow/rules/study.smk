"""The study: everything known of an architecture in one row, and how each number came about."""


SCORE_FILES = ["results/scores/{space}/structural.parquet"] if STRUCTURAL else []
if NETWORK_PROXIES:
    SCORE_FILES.append("results/scores/{space}/{task}/scores.parquet")
SCORES = list(dict.fromkeys(file.format(space=space, task=task) for space, task in TASKS for file in SCORE_FILES))


def truth_tables(wildcards):
    """The truths of a space and task."""
    truths = config["spaces"][wildcards.space]["tasks"][wildcards.task]
    return expand("results/truth/{space}/{task}/{truth}.parquet", truth=truths, allow_missing=True)


rule join:
    """Join scores, truth and latency of {wildcards.space}, {wildcards.task}."""
    input:
        architectures="results/spaces/{space}/architectures.parquet",
        scores=SCORE_FILES,
        truths=truth_tables,
        latencies=expand("results/latency/{space}/{task}/{device}.parquet", device=DEVICES, allow_missing=True),
        code=code("join.py"),
    output:
        "results/study/{space}-{task}.parquet",
    log:
        "logs/join/{space}-{task}.log",
    benchmark:
        "benchmarks/join/{space}-{task}.tsv"
    params:
        proxies=config["proxies"],
        seeds=config["seeds"],
    conda:
        "../../envs/zsnas.yaml"
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
        latencies=[
            f"results/latency/{space}/{task}/{device}.parquet" for space, task in TASKS for device in DEVICES
        ],
        truths=[f"results/truth/{space}/{task}/{truth}.parquet" for space, task, truth in TRUTHS],
    output:
        "results/manifest.json",
    log:
        "logs/manifest.log",
    benchmark:
        "benchmarks/manifest.tsv"
    params:
        config=config,
    conda:
        "../../envs/zsnas.yaml"
    script:
        "../scripts/manifest.py"
