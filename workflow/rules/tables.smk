"""Tables: each analysis of the study once, then as .csv, .tex and .html."""

OF_TRUTHS = ["correlation", "selection"] + (["trust", "regret", "pareto", "budget"] if DEVICES else [])
TABLES = [
    *(OF_TRUTHS if TRUTHS else []),
    "cost",
    *(["hardware"] if DEVICES else []),
    *(["prediction"] if PREDICTED else []),
    *(["repeatability"] if REPEATEDLY else []),
    *(["robustness"] if SEVERAL_TRUTHS else []),
    *(["search"] if SEARCHED else []),
]


rule tables:
    """All tables."""
    input:
        expand("results/tables/{table}.{format}", table=TABLES, format=["csv", "tex", "html"]),


localrules:
    table,  # as scores are


rule analysis:
    """Judge the proxies: one analysis."""
    input:
        tables=analysis_input,
        code=analysis_code,
    output:
        "results/analysis/{analysis}.parquet",
    log:
        "logs/analysis/{analysis}.log",
    benchmark:
        "benchmarks/analysis/{analysis}.tsv"
    wildcard_constraints:
        analysis="|".join(TABLES),
    conda:
        "../../envs/zsnas.yaml"
    threads: 1  # analyses run side by side; most of their time is compiling and loading
    params:
        options=analysis_options,
    message:
        "Judge the proxies: {wildcards.analysis}."
    shell:
        "python -m zsnas.judge {wildcards.analysis}"
        " {params.options}"
        " --threads {threads}"
        " --output {output}"
        " {input.tables} 2> {log}"


rule table:
    """Write a table as .csv, .tex and .html."""
    input:
        "results/analysis/{table}.parquet",
    output:
        csv="results/tables/{table}.csv",
        tex="results/tables/{table}.tex",
        html=report("results/tables/{table}.html", caption="../report/table.rst", category="Tables"),
    log:
        "logs/table/{table}.log",
    benchmark:
        "benchmarks/table/{table}.tsv"
    wildcard_constraints:
        table="|".join(TABLES),
    conda:
        "../../envs/zsnas.yaml"
    message:
        "Write the {wildcards.table} table."
    script:
        "../scripts/table.py"
