"""Spaces: from a plug-in in workflow/zsnas/spaces to the index of its architectures."""


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
