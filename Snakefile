"""The reference study of zero-shot NAS: score networks without training them, measure them, and judge the scores."""

from snakemake.utils import min_version

min_version("9.27")


if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/spaces.smk"
include: "workflow/rules/truth.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/latency.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/device_figures.smk"


report: "workflow/report/study.rst"


onsuccess:
    # With keep-going Snakemake ends well though jobs are left that it never took for ready, as happens to jobs of groups.
    if left := workflow.scheduler.remaining_jobs:
        sys.exit(f"error: {len(left)} jobs were left undone, such as {left[0]}: run the same command again")


localrules:
    all,
    tables,
    figures,
    fetch,


rule all:
    """Everything: tables, figures, the joined study, its manifest and what it was made from."""
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.manifest.input,
        rules.manifest.output,
        every_shard,
