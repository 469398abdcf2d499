"""Search: what would be found with each proxy within a latency budget, from the study's own tables."""

SEARCHES = "results/search/{space}/{task}.parquet"


rule search:
    """Search a space with every proxy under tight and loose budgets of every device."""
    input:
        study="results/study/{space}-{task}.parquet",
        architectures="results/spaces/{space}/architectures.parquet",
        space=network_files,
        code=code("zsnas/search.py"),
    output:
        SEARCHES,
    log:
        "logs/search/{space}-{task}.log",
    benchmark:
        "benchmarks/search/{space}-{task}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        proxies=SHOWN,
        evaluations=config.get("search"),
    message:
        "Search {wildcards.space}, {wildcards.task} with every proxy."
    shell:
        "python -m zsnas.search"
        " --space {wildcards.space}"
        " --study {input.study}"
        " --architectures {input.architectures}"
        " --proxies {params.proxies}"
        " --evaluations {params.evaluations}"
        " --output {output} 2> {log}"
