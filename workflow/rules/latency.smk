"""Latency: per device and shard of networks, then gathered. A measurement has the machine to itself."""

DEVICE_SHARD = "results/latency/{space}/{task}/{device}/size{size}/{shard}.parquet"


rule measure:
    """Measure a shard of a space and task on a device."""
    input:
        architectures=ancient("results/spaces/{space}/architectures.parquet"),
        space=space_files,
        device=lambda wildcards: code(f"devices/{wildcards.device.partition('-')[0]}.py"),
        code=code("latency.py", "randomness.py", "shards.py", "devices/__init__.py"),
    output:
        DEVICE_SHARD,
    log:
        "logs/measure/{space}-{task}-{device}-size{size}-{shard}.log",
    benchmark:
        "benchmarks/measure/{space}-{task}-{device}-size{size}-{shard}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    threads: 1024  # every core of the run, so that no other job runs beside it
    message:
        "Measure shard {wildcards.shard} of {wildcards.space}, {wildcards.task} on {wildcards.device}."
    shell:
        "python -m zsnas.latency"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --device {wildcards.device}"
        " --architectures {input.architectures}"
        " --shard {wildcards.shard}"
        " --shard-size {wildcards.size}"
        " --output {output} 2> {log}"


rule latency:
    """Gather the latencies of a space and task on a device."""
    input:
        shards=latency_shards,
        code=code("gather.py"),
    output:
        "results/latency/{space}/{task}/{device}.parquet",
    log:
        "logs/latency/{space}-{task}-{device}.log",
    benchmark:
        "benchmarks/latency/{space}-{task}-{device}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        first=lambda wildcards: config["spaces"][wildcards.space]["architectures"],
    message:
        "Gather the latencies of {wildcards.space}, {wildcards.task} on {wildcards.device}."
    shell:
        "python -m zsnas.gather" " --first {params.first}" " --output {output}" " {input.shards} 2> {log}"
