"""One analysis as .csv, .tex and .html."""

import pandas as pd

table = pd.read_parquet(snakemake.input[0])
table.to_csv(snakemake.output.csv, index=False)
table.to_latex(snakemake.output.tex, index=False, longtable=True, escape=True, float_format="%.3g")
table.to_html(snakemake.output.html, index=False, border=0, float_format="%.3g")
