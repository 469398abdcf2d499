"""Records of the form that NDS's have: small networks drawn at random, errors made up, none of them real."""

import json
import random
import zipfile

OPERATIONS = {
    "Amoeba": "skip_connect conv_7x1_1x7 sep_conv_3x3 sep_conv_5x5 sep_conv_7x7 dil_sep_conv_3x3",
    "DARTS": "none skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5",
    "ENAS": "skip_connect sep_conv_3x3 sep_conv_5x5",
    "NASNet": "skip_connect conv_1x1 conv_3x3 conv_3x1_1x3 conv_7x1_1x7 sep_conv_3x3 sep_conv_5x5 sep_conv_7x7"
    " dil_conv_3x3 max_pool_5x5 max_pool_7x7",
    "PNAS": "skip_connect conv_7x1_1x7 sep_conv_3x3 sep_conv_5x5 sep_conv_7x7 dil_conv_3x3",
}
RECORDS = {
    "Amoeba": 4983,
    "DARTS": 5000,
    "DARTS_fix-w-d": 5000,
    "ENAS": 4999,
    "ENAS_fix-w-d": 5000,
    "NASNet": 4846,
    "PNAS": 4999,
    "PNAS_fix-w-d": 4559,
}


def write(path):
    """A `data.zip` of all sweeps of cells on CIFAR-10."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for sweep, records in RECORDS.items():
            draw = random.Random(sweep)
            archive.writestr(f"nds_data/{sweep}.json", json.dumps([record(sweep, draw) for _ in range(records)]))


def record(sweep, draw):
    """One network of a sweep and its errors after two epochs."""
    proposer, _, fixed = sweep.partition("_")
    genotype = {}
    for kind in ("normal", "reduce"):
        operations = [*OPERATIONS[proposer].split(), "avg_pool_3x3", "max_pool_3x3"]
        nodes = range(2, 6 if proposer == "DARTS" else 7)
        names = draw.choices(operations, k=2 * len(nodes))
        genotype[kind] = [[name, int(draw.random() * (2 + at // 2))] for at, name in enumerate(names)]
        read = {source for _, source in genotype[kind]}
        joined = [node for node in nodes if node not in read or proposer in ("DARTS", "PNAS")]
        genotype[f"{kind}_concat"] = joined
    width, depth = (8, 5) if fixed else (draw.choice((8, 12)), draw.choice((4, 6)))
    net = {"genotype": genotype, "width": width, "depth": depth, "aux": False, "drop_prob": 0.0}
    return {"net": net, "test_ep_top1": [90.0, draw.uniform(5, 20)]}
