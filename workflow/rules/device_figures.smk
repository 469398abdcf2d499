"""Figures of devices: whom to trust, the fronts, what a proxy knows beside the cost, searches, noisy hardware."""


rule trust_figure:
    """Draw what proxies are worth on each device of a space."""
    input:
        trust="results/analysis/trust.parquet",
        code=code("scripts/figure_trust.py"),
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
    message:
        "Draw which proxies can be trusted on {wildcards.space}."
    script:
        "../scripts/figure_trust.py"


rule fronts_figure:
    """Draw the fronts that the best proxies trace on each device."""
    input:
        study="results/study/{space}-{task}.parquet",
        pareto="results/analysis/pareto.parquet",
        code=code("scripts/figure_fronts.py"),
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
        training=training,
    message:
        "Draw the fronts that proxies trace in {wildcards.space}, {wildcards.task} on all devices."
    script:
        "../scripts/figure_fronts.py"


rule devices_figure:
    """Draw how proxies go with cost, and with accuracy at equal cost."""
    input:
        hardware="results/analysis/hardware.parquet",
        code=code("scripts/figure_devices.py"),
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
        architectures=judged_on,
        training=training,
    message:
        "Draw what proxies know beside the cost in {wildcards.space}, {wildcards.task}."
    script:
        "../scripts/figure_devices.py"


rule search_figure:
    """Draw what searches with each proxy find, against the number of evaluations and the time."""
    input:
        search="results/analysis/search.parquet",
        code=code("scripts/figure_search.py"),
        style=STYLE,
    output:
        "results/figures/search-{space}-{task}-{truth}.pdf",
        "results/figures/search-{space}-{task}-{truth}.svg",
        report(
            "results/figures/search-{space}-{task}-{truth}.png",
            caption="../report/figure_search.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Search within a budget", "truth": "{truth}", "device": "all"},
        ),
    log:
        "logs/search_figure/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/search_figure/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        training=training,
    message:
        "Draw what searches find in {wildcards.space}, {wildcards.task}."
    script:
        "../scripts/figure_search.py"


rule robustness_figure:
    """Draw which proxies still rank a space when the truth is another."""
    input:
        robustness="results/analysis/robustness.parquet",
        code=code("scripts/figure_robustness.py"),
        style=STYLE,
    output:
        "results/figures/robustness-{space}-{task}.pdf",
        "results/figures/robustness-{space}-{task}.svg",
        report(
            "results/figures/robustness-{space}-{task}.png",
            caption="../report/figure_robustness.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Other truths", "truth": "all", "device": "-"},
        ),
    log:
        "logs/robustness_figure/{space}-{task}.log",
    benchmark:
        "benchmarks/robustness_figure/{space}-{task}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    message:
        "Draw which proxies rank {wildcards.space}, {wildcards.task} by other truths."
    script:
        "../scripts/figure_robustness.py"


rule repeatability_figure:
    """Draw how well a second measurement agrees with the first."""
    input:
        repeated=REPEATED,
        repeatability="results/analysis/repeatability.parquet",
        code=code("scripts/figure_repeatability.py"),
        style=STYLE,
    output:
        "results/figures/repeatability-{space}-{task}-{device}.pdf",
        "results/figures/repeatability-{space}-{task}-{device}.svg",
        report(
            "results/figures/repeatability-{space}-{task}-{device}.png",
            caption="../report/figure_repeatability.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Repeatability", "truth": "-", "device": "{device}"},
        ),
    log:
        "logs/repeatability_figure/{space}-{task}-{device}.log",
    benchmark:
        "benchmarks/repeatability_figure/{space}-{task}-{device}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    message:
        "Draw two measurements of {wildcards.space}, {wildcards.task} on {wildcards.device}."
    script:
        "../scripts/figure_repeatability.py"
