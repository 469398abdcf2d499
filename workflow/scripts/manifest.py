"""How the study's numbers came about, as JSON: config, sources, and each environment that computed something."""

import json
from pathlib import Path

from zsnas.files import read_provenance
from zsnas.provenance import environment

manifest = {
    "config": snakemake.params.config,
    "judged": environment(),
    "analyses": [Path(path).stem for path in snakemake.input.analyses],
    "truths": {path: read_provenance(path) for path in snakemake.input.truths},
    "scores": {path: read_provenance(path) for path in snakemake.input.scores},
    "latencies": {path: read_provenance(path) for path in snakemake.input.latencies},
}
Path(snakemake.output[0]).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
