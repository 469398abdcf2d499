"""How do proxies rank within a family? `python docs/results/imagenet_cnn/families.py STUDY.parquet`.

Prints a Markdown table: Spearman's rho of a few proxies with each recipe's accuracies, for every family of which the
recipe has at least FEWEST networks, with 95 % bootstrap intervals over networks.
"""

import sys

import pandas as pd

from zsnas.judge.statistics import interval, rank_correlations, sample_weights

FAMILIES = {
    "ResNet, WRN, ResNeXt": r"(wide_)?resne(x)?t\d.*",
    "RegNet": "regnet.*",
    "DenseNet": "densenet.*",
    "MobileNet-v2": "mobilenetv2.*",
}
PROXIES = ("params", "macs", "snip", "zen", "grad_norm", "synflow", "nwot", "az_nas")
FEWEST = 7
REPLICATES, SEED = 1000, 0


def main():
    study = pd.read_parquet(sys.argv[1]).set_index("arch")
    print(f"| recipe | family | n | {' | '.join(f'`{proxy}`' for proxy in PROXIES)} |")
    print(f"|{'---|' * (3 + len(PROXIES))}")
    for truth in (column for column in study if column.startswith("accuracy_")):
        for family, pattern in FAMILIES.items():
            judged = study[study[truth].notna() & study.index.str.fullmatch(pattern)]
            if len(judged) < FEWEST:
                continue
            weights = sample_weights(judged.index.to_numpy(str), REPLICATES, SEED)
            scores = judged[list(PROXIES)].to_numpy(float).T
            _, rho = rank_correlations(scores, judged[truth].to_numpy(float), weights)
            cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(values)) for values in rho[:, 0]]
            print(f"| {truth.removeprefix('accuracy_timm_')} | {family} | {len(judged)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
