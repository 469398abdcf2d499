"""All joined tasks in one file."""

import pandas as pd

from zsnas.files import read_provenance, write_parquet

study = pd.concat([pd.read_parquet(path) for path in snakemake.input], ignore_index=True)
truths = {name: larger for path in snakemake.input for name, larger in read_provenance(path)["truths"].items()}
write_parquet(study, snakemake.output[0], truths=truths)
