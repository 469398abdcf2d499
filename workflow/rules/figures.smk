"""Figures: from the study and its analyses to one .pdf, .svg and .png per kind, space, task and truth."""

STYLE = CHECKOUT / "workflow/scripts/zsnas.mplstyle"
FIGURES = [
    f"{kind}-{'-'.join(cell)}" for kind in ("correlation", "proxy-correlation", "scores", "cost") for cell in TRUTHS
]
FIGURES += [f"pareto-{'-'.join(cell)}-{device}" for cell in TRUTHS for device in DEVICES]
if DEVICES:
    FIGURES += [f"{kind}-{'-'.join(cell)}" for kind in ("fronts", "devices") for cell in TRUTHS]
    FIGURES += [f"trust-{space}" for space in dict.fromkeys(space for space, *_ in TRUTHS)]
FIGURES += [f"search-{'-'.join(cell)}" for cell in TRUTHS if cell[:2] in SEARCHED]
FIGURES += [f"robustness-{space}-{task}" for space, task in SEVERAL_TRUTHS]
FIGURES += [f"repeatability-{space}-{task}-{device}" for space, task in TASKS for device in REPEATEDLY]


rule figures:
    """All figures."""
    input:
        expand("results/figures/{figure}.{format}", figure=FIGURES, format=["pdf", "svg", "png"]),


rule correlation_figure:
    """Draw how well each proxy ranks a space on a task by a truth."""
    input:
        correlation="results/analysis/correlation.parquet",
        style=STYLE,
        code=code("scripts/figure_correlation.py"),
    output:
        "results/figures/correlation-{space}-{task}-{truth}.pdf",
        "results/figures/correlation-{space}-{task}-{truth}.svg",
        report(
            "results/figures/correlation-{space}-{task}-{truth}.png",
            caption="../report/figure_correlation.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Rank correlation", "truth": "{truth}", "device": "-"},
        ),
    log:
        "logs/correlation_figure/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/correlation_figure/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        architectures=judged_on,
        training=training,
    message:
        "Draw how well each proxy ranks {wildcards.space} on {wildcards.task} by {wildcards.truth}."
    script:
        "../scripts/figure_correlation.py"


rule proxy_correlation_figure:
    """Draw which proxies rank a space alike on a task."""
    input:
        study="results/study/{space}-{task}.parquet",
        style=STYLE,
        code=code("scripts/figure_proxy_correlation.py"),
    output:
        "results/figures/proxy-correlation-{space}-{task}-{truth}.pdf",
        "results/figures/proxy-correlation-{space}-{task}-{truth}.svg",
        report(
            "results/figures/proxy-correlation-{space}-{task}-{truth}.png",
            caption="../report/figure_proxy_correlation.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Proxies among themselves", "truth": "{truth}", "device": "-"},
        ),
    log:
        "logs/proxy_correlation_figure/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/proxy_correlation_figure/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        architectures=judged_on,
        training=training,
    message:
        "Draw which proxies rank {wildcards.space} alike on {wildcards.task}."
    script:
        "../scripts/figure_proxy_correlation.py"


rule scores_figure:
    """Draw scores against accuracy of a space on a task by a truth."""
    input:
        study="results/study/{space}-{task}.parquet",
        correlation="results/analysis/correlation.parquet",
        style=STYLE,
        code=code("scripts/figure_scores.py"),
    output:
        "results/figures/scores-{space}-{task}-{truth}.pdf",
        "results/figures/scores-{space}-{task}-{truth}.svg",
        report(
            "results/figures/scores-{space}-{task}-{truth}.png",
            caption="../report/figure_scores.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Score against accuracy", "truth": "{truth}", "device": "-"},
        ),
    log:
        "logs/scores_figure/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/scores_figure/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        architectures=judged_on,
        training=training,
    message:
        "Draw scores against accuracy of {wildcards.space} on {wildcards.task} by {wildcards.truth}."
    script:
        "../scripts/figure_scores.py"


rule pareto_figure:
    """Draw the fronts that proxies trace in a space and task on a device."""
    input:
        study="results/study/{space}-{task}.parquet",
        pareto="results/analysis/pareto.parquet",
        style=STYLE,
        code=code("scripts/figure_pareto.py"),
    output:
        "results/figures/pareto-{space}-{task}-{truth}-{device}.pdf",
        "results/figures/pareto-{space}-{task}-{truth}-{device}.svg",
        report(
            "results/figures/pareto-{space}-{task}-{truth}-{device}.png",
            caption="../report/figure_pareto.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Accuracy against latency", "truth": "{truth}", "device": "{device}"},
        ),
    log:
        "logs/pareto_figure/{space}-{task}-{truth}-{device}.log",
    benchmark:
        "benchmarks/pareto_figure/{space}-{task}-{truth}-{device}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        training=training,
    message:
        "Draw the fronts that proxies trace in {wildcards.space}, {wildcards.task} on {wildcards.device}."
    script:
        "../scripts/figure_pareto.py"


rule cost_figure:
    """Draw correlation against cost in a space and task by a truth."""
    input:
        correlation="results/analysis/correlation.parquet",
        cost="results/analysis/cost.parquet",
        style=STYLE,
        code=code("scripts/figure_cost.py"),
    output:
        "results/figures/cost-{space}-{task}-{truth}.pdf",
        "results/figures/cost-{space}-{task}-{truth}.svg",
        report(
            "results/figures/cost-{space}-{task}-{truth}.png",
            caption="../report/figure_cost.rst",
            category="Figures",
            subcategory="{space}, {task}",
            labels={"figure": "Correlation against cost", "truth": "{truth}", "device": "-"},
        ),
    log:
        "logs/cost_figure/{space}-{task}-{truth}.log",
    benchmark:
        "benchmarks/cost_figure/{space}-{task}-{truth}.tsv"
    conda:
        "../../envs/zsnas.yaml"
    params:
        architectures=judged_on,
        training=training,
    message:
        "Draw correlation against cost in {wildcards.space}, {wildcards.task} by {wildcards.truth}."
    script:
        "../scripts/figure_cost.py"
