"""Scores: structural proxies of all architectures at once, the others per bundle, seed and shard of networks.

Aggregates combine these for a space and task.
"""

SHARD = (
    "results/scores/{space}/{task}/{bundle}/seed{seed}/{inputs}-batch{batch}/{sampled_from}size{size}/{shard}.parquet"
)
SCORE_FILES = ["results/scores/{space}/structural.parquet"] if STRUCTURAL else []
if NETWORK_PROXIES:
    SCORE_FILES.append("results/scores/{space}/{task}/scores.parquet")


rule structural:
    """Score all architectures of a space by what they are made of."""
    input:
        architectures="results/spaces/{space}/architectures.parquet",
        space=structure_files,
        code=code("zsnas/structural.py", *proxy_files(STRUCTURAL)),
    output:
        "results/scores/{space}/structural.parquet",
    log:
        "logs/structural/{space}.log",
    benchmark:
        "benchmarks/structural/{space}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        proxies=STRUCTURAL,
    message:
        "Score all architectures of {wildcards.space} by what they are made of."
    shell:
        "python -m zsnas.structural"
        " --space {wildcards.space}"
        " --proxies {params.proxies}"
        " --architectures {input.architectures}"
        " --output {output} 2> {log}"


localrules:
    images,  # which may have to be downloaded, and a cluster's nodes may have no network
    scores,  # a matter of seconds and little memory, for which a job would wait in a cluster's queue


checkpoint images:
    """Prepare images of a task to score with."""
    input:
        file=image_file,
        code=code("zsnas/images.py"),
    output:
        "results/images/{space}/{task}.npz",
    log:
        "logs/images/{space}-{task}.log",
    benchmark:
        "benchmarks/images/{space}-{task}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        source=lambda wildcards: config.get("images", {}).get(wildcards.task, "official"),
        data_dir=DATA_DIR,
        needed=2 * config["batch"],
    message:
        "Prepare images of {wildcards.task} to score with."
    shell:
        "python -m zsnas.images"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --source {params.source:q}"
        " --data-dir {params.data_dir:q}"
        " --needed {params.needed}"
        " --output {output} 2> {log}"


rule score:
    """Score a shard of a space and task by a bundle of proxies."""
    input:
        networks=networks,
        images=images,
        space=network_files,
        code=scoring_code,
    output:
        SHARD,
    log:
        "logs/score/{space}-{task}-{bundle}-seed{seed}-{inputs}-batch{batch}-{sampled_from}size{size}-{shard}.log",
    benchmark:
        "benchmarks/score/{space}-{task}-{bundle}-seed{seed}-{inputs}-batch{batch}-{sampled_from}size{size}-{shard}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    threads: 2
    params:
        proxies=lambda wildcards: members(wildcards.bundle),
        inputs=lambda wildcards, input: input.images or "noise",
        layers="--keep-layers" if config.get("keep_layers") else "",
    message:
        "Score shard {wildcards.shard} of {wildcards.space}, {wildcards.task} by {params.proxies}."
    shell:
        "python -m zsnas.score"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --proxies {params.proxies}"
        " --seed {wildcards.seed}"
        " --inputs {params.inputs}"
        " --batch {wildcards.batch}"
        " --architectures {input.networks}"
        " --shard {wildcards.shard}"
        " --shard-size {wildcards.size}"
        " --workers {threads}"
        " {params.layers}"
        " --output {output} 2> {log}"


rule scores:
    """Gather the scores of a space and task."""
    input:
        shards=score_shards,
        code=code("zsnas/gather.py"),
    output:
        "results/scores/{space}/{task}/scores.parquet",
    log:
        "logs/scores/{space}-{task}.log",
    benchmark:
        "benchmarks/scores/{space}-{task}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        first=lambda wildcards: config["spaces"][wildcards.space]["architectures"],
    message:
        "Gather the scores of {wildcards.space}, {wildcards.task}."
    shell:
        "python -m zsnas.gather --first {params.first} --output {output} {input.shards} 2> {log}"


rule aggregates:
    """Combine the scores of a space and task into aggregates."""
    input:
        architectures="results/spaces/{space}/architectures.parquet",
        scores=SCORE_FILES,
        code=code("zsnas/aggregate.py", *proxy_files(AGGREGATES)),
    output:
        "results/scores/{space}/{task}/aggregates.parquet",
    log:
        "logs/aggregates/{space}-{task}.log",
    benchmark:
        "benchmarks/aggregates/{space}-{task}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        proxies=AGGREGATES,
        seeds=config["seeds"],
    message:
        "Combine the scores of {wildcards.space}, {wildcards.task} into {params.proxies}."
    shell:
        "python -m zsnas.aggregate"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --proxies {params.proxies}"
        " --architectures {input.architectures}"
        " --seeds {params.seeds}"
        " --scores {input.scores}"
        " --output {output} 2> {log}"
