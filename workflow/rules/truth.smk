"""Ground truth: from a file named in config/sources.csv to one table per space, task and truth; `fetch` gets files."""


rule fetch:
    """Download what the study needs and is not there."""
    input:
        sources=SOURCES,
    log:
        "logs/fetch.log",
    conda:
        "../../envs/zsnas.yaml"
    params:
        truths=["/".join(truth) for truth in TRUTHS],
        spaces=list(config["spaces"]),
        looked_up=[f"{space}/{task}/{devices.looked_up(name)}" for space, task in TASKS for name in LOOKED_UP],
        data_dir=DATA_DIR,
    message:
        "Download what the study needs and is not there."
    shell:
        "python -m zsnas.fetch"
        " --truths {params.truths}"
        " --spaces {params.spaces}"
        " --looked-up {params.looked_up}"
        " --sources {input.sources:q}"
        " --data-dir {params.data_dir:q} 2>&1 | tee {log}"


rule truth:
    """Read a truth of a space and task."""
    input:
        file=lambda wildcards: truth_source(wildcards)[1],
        sources=ancient(SOURCES),
        architectures="results/spaces/{space}/architectures.parquet",
        reader=lambda wildcards: reader_files([truth_source(wildcards)]),
        code=code("zsnas/truth.py"),
    output:
        "results/truth/{space}/{task}/{truth}.parquet",
    log:
        "logs/truth/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/truth/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        row=lambda wildcards: str(vars(truth_source(wildcards)[0])),  # its row of sources.csv, whatever else is there
        data_dir=DATA_DIR,
    message:
        "Read the truth {wildcards.truth} of {wildcards.space}, {wildcards.task}."
    shell:
        "python -m zsnas.truth"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --truth {wildcards.truth}"
        " --sources {input.sources:q}"
        " --data-dir {params.data_dir:q}"
        " --architectures {input.architectures}"
        " --output {output} 2> {log}"
