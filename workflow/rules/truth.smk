"""Ground truth: from a file named in config/sources.csv to one table per space, task and truth."""


rule truth:
    """Read the truth {wildcards.truth} of {wildcards.space}, {wildcards.task}."""
    input:
        file=lambda wildcards: truth_source(wildcards)[1],
        sources=SOURCES,
        architectures="results/spaces/{space}/architectures.parquet",
        reader=lambda wildcards: code(f"readers/{truth_source(wildcards)[0].reader}.py"),
        code=code("truth.py", "sources.py"),
    output:
        "results/truth/{space}/{task}/{truth}.parquet",
    log:
        "logs/truth/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/truth/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        data_dir=f"--data-dir {config['data_dir']}" if "data_dir" in config else "",
    shell:
        "python -m zsnas.truth"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --truth {wildcards.truth}"
        " --sources {input.sources}"
        " {params.data_dir}"
        " --architectures {input.architectures}"
        " --output {output} 2> {log}"
