"""Figures of all devices together: whom to trust, the fronts, and what a proxy knows beside the cost."""


rule trust_figure:
    """Draw what proxies are worth on each device of a space."""
    input:
        trust="results/analysis/trust.parquet",
        code=code("plotting.py"),
        style=STYLE,
    output:
        "results/figures/trust-{space}.pdf",
        "results/figures/trust-{space}.svg",
        report(
            "results/figures/trust-{space}.png",
            caption="../report/figure_trust.rst",
            category="Figures",
            subcategory="{space}",
            labels={"figure": "Which proxy to trust", "truth": "-", "device": "all"},
        ),
    log:
        "logs/trust_figure/{space}.log",
    benchmark:
        "benchmarks/trust_figure/{space}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        architectures=space_size,
    message:
        "Draw which proxies can be trusted on {wildcards.space}."
    script:
        "../scripts/figure_trust.py"


rule fronts_figure:
    """Draw the fronts that the best proxies trace on each device."""
    input:
        study="results/study.parquet",
        pareto="results/analysis/pareto.parquet",
        code=code("plotting.py", "judge/population.py", "judge/pareto.py"),
        style=STYLE,
    output:
        "results/figures/fronts-{space}-{task}-{truth}.pdf",
        "results/figures/fronts-{space}-{task}-{truth}.svg",
        report(
            "results/figures/fronts-{space}-{task}-{truth}.png",
            caption="../report/figure_fronts.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Fronts on all devices", "truth": "{truth}", "device": "all"},
        ),
    log:
        "logs/fronts_figure/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/fronts_figure/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        architectures=space_size,
        training=training,
    message:
        "Draw the fronts that proxies trace in {wildcards.space}, {wildcards.task} on all devices."
    script:
        "../scripts/figure_fronts.py"


rule devices_figure:
    """Draw how proxies go with cost, and with accuracy at equal cost."""
    input:
        hardware="results/analysis/hardware.parquet",
        code=code("plotting.py"),
        style=STYLE,
    output:
        "results/figures/devices-{space}-{task}-{truth}.pdf",
        "results/figures/devices-{space}-{task}-{truth}.svg",
        report(
            "results/figures/devices-{space}-{task}-{truth}.png",
            caption="../report/figure_devices.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Correlation at equal cost", "truth": "{truth}", "device": "all"},
        ),
    log:
        "logs/devices_figure/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/devices_figure/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        architectures=space_size,
        training=training,
    message:
        "Draw what proxies know beside the cost in {wildcards.space}, {wildcards.task}."
    script:
        "../scripts/figure_devices.py"
