"""Spaces: from a plug-in in workflow/zsnas/spaces to the index of its architectures, or of those that a truth has."""


checkpoint architectures:
    """List the architectures of a space."""
    input:
        lists=lists,
        space=space_files,
        code=code("zsnas/index.py"),
    output:
        "results/spaces/{space}/architectures.parquet",
    log:
        "logs/architectures/{space}.log",
    benchmark:
        "benchmarks/architectures/{space}.tsv"
    wildcard_constraints:
        space="|".join(registry.spaces()),  # also those that the study does not have
    conda:
        "../../envs/zsnas.yaml"
    message:
        "List the architectures of {wildcards.space}."
    shell:
        "python -m zsnas.index {wildcards.space} {output} {input.lists:q} 2> {log}"


checkpoint sampled_from:
    """Keep the architectures of networks that a truth has, where it has few and is to be sampled from."""
    input:
        architectures="results/spaces/{space}/architectures.parquet",
        truth="results/truth/{space}/{task}/{truth}.parquet",
        code=code("zsnas/sampled_from.py"),
    output:
        "results/spaces/{space}/{task}/{truth}.parquet",
    log:
        "logs/sampled_from/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/sampled_from/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    message:
        "Keep the architectures of {wildcards.space}, {wildcards.task} that {wildcards.truth} has."
    shell:
        "python -m zsnas.sampled_from {input.architectures} {input.truth} {output} 2> {log}"
