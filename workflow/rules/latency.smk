"""Latency: looked up, or measured per device, session and shard of networks, then gathered; or predicted."""

HELD_OUT = "results/latency/{space}/{task}/{device}.held-out.parquet"
DEVICE_SHARD = "results/latency/{space}/{task}/{device}/{session}/{sampled_from}size{size}/{shard}.parquet"
REPEATED = "results/latency/{space}/{task}/{device}.repeated.parquet"


rule measure:
    """Measure a shard of a space and task on a device here, with the machine to itself."""
    input:
        networks=networks,
        space=network_files,
        code=measuring_code,
    output:
        DEVICE_SHARD,
    log:
        "logs/measure/{space}-{task}-{device}-{session}-{sampled_from}size{size}-{shard}.log",
    benchmark:
        "benchmarks/measure/{space}-{task}-{device}-{session}-{sampled_from}size{size}-{shard}.tsv"
    wildcard_constraints:
        device="|".join(name for name in MEASURED if name not in REMOTE) or "none",
    conda:
        "../../envs/zsnas.yaml"
    threads: 1024  # every core of the run, so that no other job runs beside a measurement
    params:
        remote_python=remote_python,
    message:
        "Measure shard {wildcards.shard} of {wildcards.space}, {wildcards.task} on {wildcards.device} ({wildcards.session})."
    shell:
        "python -m zsnas.latency"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --device {wildcards.device}"
        " --architectures {input.networks}"
        " --shard {wildcards.shard}"
        " --shard-size {wildcards.size}"
        " --session {wildcards.session}"
        " --remote-python {params.remote_python:q}"
        " --output {output} 2> {log}"


use rule measure as measure_remote with:
    """Measure a shard of a space and task on a device of another machine."""
    wildcard_constraints:
        device="|".join(REMOTE) or "none",
    threads: 1
    resources:
        **{f"board{number}": on_board(host) for number, host in enumerate(BOARDS)},


localrules:
    measure_remote,  # where the user's ssh configuration is, for a cluster's nodes may reach no board
    latency,  # as scores are


for number in range(len(BOARDS)):
    workflow.register_resource(f"board{number}", 1)  # the next one would hold a core only to wait


rule latency:
    """Gather the latencies of a space and task on a device."""
    input:
        shards=latency_shards,
        code=code("zsnas/gather.py"),
    output:
        "results/latency/{space}/{task}/{device}.parquet",
    log:
        "logs/latency/{space}-{task}-{device}.log",
    benchmark:
        "benchmarks/latency/{space}-{task}-{device}.tsv"
    wildcard_constraints:
        device="|".join(MEASURED) or "none",
    conda:
        "../../envs/zsnas.yaml"
    params:
        first=lambda wildcards: config["spaces"][wildcards.space]["architectures"],
    message:
        "Gather the latencies of {wildcards.space}, {wildcards.task} on {wildcards.device}."
    shell:
        "python -m zsnas.gather --first {params.first} --output {output} {input.shards} 2> {log}"


rule repeat:
    """Put two sessions that measured the same networks side by side."""
    input:
        first="results/latency/{space}/{task}/{device}.parquet",
        second=second_shards,
        code=code("zsnas/repeat.py"),
    output:
        REPEATED,
    log:
        "logs/repeat/{space}-{task}-{device}.log",
    benchmark:
        "benchmarks/repeat/{space}-{task}-{device}.tsv"
    wildcard_constraints:
        device="|".join(MEASURED) or "none",
    conda:
        "../../envs/zsnas.yaml"
    message:
        "Compare two sessions of {wildcards.space}, {wildcards.task} on {wildcards.device}."
    shell:
        "python -m zsnas.repeat"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --device {wildcards.device}"
        " --first {input.first}"
        " --second {input.second}"
        " --output {output} 2> {log}"


rule lookup:
    """Look up the published latencies of a space and task on a device."""
    input:
        files=lambda wildcards: [path for _, path in cost_sources(wildcards)],
        sources=ancient(SOURCES),
        architectures="results/spaces/{space}/architectures.parquet",
        readers=lambda wildcards: reader_files(cost_sources(wildcards)),
        code=code("zsnas/lookup.py"),
    output:
        "results/latency/{space}/{task}/{device}.parquet",
    log:
        "logs/lookup/{space}-{task}-{device}.log",
    benchmark:
        "benchmarks/lookup/{space}-{task}-{device}.tsv"
    wildcard_constraints:
        device="|".join(LOOKED_UP) or "none",
    conda:
        "../../envs/zsnas.yaml"
    params:
        rows=lambda wildcards: [str(vars(source)) for source, _ in cost_sources(wildcards)],
        data_dir=DATA_DIR,
    message:
        "Look up the latencies of {wildcards.space}, {wildcards.task} on {wildcards.device}."
    shell:
        "python -m zsnas.lookup"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --device {wildcards.device}"
        " --sources {input.sources:q}"
        " --data-dir {params.data_dir:q}"
        " --architectures {input.architectures}"
        " --output {output} 2> {log}"


rule predict:
    """Predict the latencies of a space and task on a device from a measured sample."""
    input:
        measured=measured_sample,
        architectures="results/spaces/{space}/architectures.parquet",
        code=code("zsnas/predict.py"),
    output:
        latencies="results/latency/{space}/{task}/{device}.parquet",
        held_out=HELD_OUT,
    log:
        "logs/predict/{space}-{task}-{device}.log",
    benchmark:
        "benchmarks/predict/{space}-{task}-{device}.tsv"
    wildcard_constraints:
        device="|".join(PREDICTED) or "none",
    conda:
        "../../envs/zsnas.yaml"
    params:
        counts=lambda wildcards: registry.spaces()[wildcards.space].counts,  # the columns that it is predicted from
    message:
        "Predict the latencies of {wildcards.space}, {wildcards.task} on {wildcards.device}."
    shell:
        "python -m zsnas.predict"
        " --space {wildcards.space}"
        " --task {wildcards.task}"
        " --device {wildcards.device}"
        " --architectures {input.architectures}"
        " --measured {input.measured}"
        " --output {output.latencies}"
        " --held-out {output.held_out} 2> {log}"
