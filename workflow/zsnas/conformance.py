"""Compare our scores with numbers that independent implementations gave on networks without any randomness.

    python -m zsnas.conformance REFERENCE.csv

The file has the columns arch_str, proxy, value, peer. Every weight, input and label of these NAS-Bench-201 networks
follows from integer arithmetic, so that any implementation can build the same network: in double precision our scores
must agree to TOLERANCE, relative to the value. The networks keep dead operations, as the peers' do. Where a value is
not finite, and on a disconnected cell, where peers print accidents, our status must not be "ok".
"""

import argparse
import dataclasses
import functools
import math
import sys

import numpy as np
import pandas as pd
import torch

from zsnas import engine, errors, passes, registry, structural
from zsnas.proxies import zen
from zsnas.score import score_network
from zsnas.spaces import nasbench201

TOLERANCE = 1e-9
EXCEPTIONS = {
    "fisher": (1e-6, "the peer sums it in single precision"),
    "synflow_bn": (1e-6, "all-ones images leave channels of nearly no variance, whose BatchNorm amplifies rounding"),
}
BATCH = 16
PRIME = 65_521


class FormulaSubject:
    """A network as published with the formula's weights, inputs and labels in double precision; see `Evaluation`."""

    batch = BATCH

    def __init__(self, arch):
        self.arch = arch

    def net(self):
        net = nasbench201.build_as_published(self.arch, "cifar10").double().train()
        for index, layer in enumerate(passes.layers(net)):
            scale = 2 * math.sqrt(6 / layer.weight[0].numel())
            layer.weight.data = torch.from_numpy(scale * formula(layer.weight.numel(), index)).view_as(layer.weight)
        net.classifier.bias.data.zero_()
        return net

    def batches(self):
        return [(images(shift), (torch.arange(BATCH) + first) % 10) for shift, first in ((0, 0), (1_000_000, 3))]

    def rng(self, purpose):
        return torch.Generator().manual_seed(0)


def formula(count, index, shift=0):
    """`count` numbers in [-0.5, 0.5) by integer arithmetic; `index` tells the tensor, `shift` where in it to begin."""
    a = (np.arange(shift, shift + count, dtype=np.int64) + 1) % PRIME
    return ((a * a % PRIME) * 7919 + a * 10473 + (index + 1) * 12997) % PRIME / PRIME - 0.5


def images(shift):
    values = 2 * math.sqrt(3) * formula(BATCH * 3 * 32 * 32, -1, shift)
    return torch.from_numpy(values).reshape(BATCH, 3, 32, 32)


@functools.cache
def index():
    """All cells, by name."""
    return nasbench201.architectures().set_index("arch", drop=False)


def our_scores(arch, names):
    """Our scores of a cell by proxy name, NaN where the status is not ok."""
    cell, proxies = index().loc[[arch]], [registry.proxies()[name] for name in names]
    counted = {one.name: structural.values(one, "nasbench201", cell).item() for one in proxies if one.structural}
    doubled = [dataclasses.replace(proxy, precision="float64") for proxy in proxies if not proxy.structural]
    return counted | (network_scores(arch, doubled) if cell.connected.item() else failures(arch, doubled))


def failures(arch, proxies):
    """What a disconnected cell is given instead of scores."""
    rows = score_network(arch, False, "nasbench201", "cifar10", 0, [proxy.name for proxy in proxies], None, "cpu")
    return {row["proxy"]: row["score"] for row in rows}


def network_scores(arch, proxies):
    subject = FormulaSubject(arch)
    scores = {score.proxy: score.score for score in engine.score(proxies, {"float64": subject})}
    if "zen" in scores:  # the peer's run draws nothing: it keeps the formula's weights and takes its images as noise
        (inputs, _), (noise, _) = subject.batches()
        scores["zen"] = float(zen.complexity(subject.net(), inputs, noise))
    if "gradsign" in scores:  # the peer takes the mean over weights, the paper their sum
        scores["gradsign"] /= sum(layer.weight.numel() for layer in passes.layers(subject.net()))
    return scores


def comparable():
    """Proxies that score an architecture of NAS-Bench-201 by itself, by name."""
    single = {name: proxy for name, proxy in registry.proxies().items() if not proxy.members}
    return {name: proxy for name, proxy in single.items() if not registry.reason_against(name, "nasbench201")}


def compare(reference):
    """The rows of the reference that we have a proxy for, with `ours` and `difference` (relative; 0 if both are NaN).

    Aggregates are left out, for their scores depend on the sample. Where the reference is not finite, and on
    disconnected cells whatever it has, we must give no score.
    """
    proxies = comparable()
    compared = reference[reference["proxy"].isin(proxies)].copy()
    ours = {arch: our_scores(arch, rows["proxy"].unique()) for arch, rows in compared.groupby("arch_str", sort=False)}
    compared["ours"] = [ours[arch][name] for arch, name in zip(compared["arch_str"], compared["proxy"])]
    counted = compared["proxy"].map(lambda name: proxies[name].structural)
    scored = counted | compared["arch_str"].map(index()["connected"])
    expected = compared["value"].where(scored & np.isfinite(compared["value"]))
    compared["difference"] = [relative_difference(*pair) for pair in zip(compared["ours"], expected)]
    return compared[["arch_str", "proxy", "value", "ours", "difference"]]


def relative_difference(ours, theirs):
    if math.isnan(ours) or math.isnan(theirs):
        return 0.0 if math.isnan(ours) and math.isnan(theirs) else math.inf
    return 0.0 if ours == theirs else abs(ours - theirs) / abs(theirs) if theirs else math.inf


def read_reference(path):
    try:
        reference = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise errors.StudyError(f"{path} cannot be read as CSV ({error}): name a reference file") from error
    missing = {"arch_str", "proxy", "value"} - set(reference)
    if missing:
        raise errors.StudyError(f"{path} lacks the columns {', '.join(sorted(missing))}: name a reference file")
    for arch in reference.arch_str[~reference.arch_str.isin(index().index)]:
        raise errors.StudyError(f"{path}: '{arch}' is not the name of a NAS-Bench-201 cell: mend or drop its rows")
    if not reference["proxy"].isin(comparable()).any():
        raise errors.StudyError(f"{path} has no proxy that can be compared here: see `python -m zsnas list`")
    return reference


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.conformance", description="Compare with reference scores.")
    parser.add_argument("reference", help="CSV with the columns arch_str, proxy, value")
    arguments = parser.parse_args()
    reference = read_reference(arguments.reference)
    compared = compare(reference)
    failed = 0
    for proxy, rows in compared.groupby("proxy", sort=False):
        worst = rows.loc[rows.difference.idxmax()]
        tolerance, reason = EXCEPTIONS.get(proxy, (TOLERANCE, ""))
        failed += int((rows.difference > tolerance).sum())
        note = f" (tolerance {tolerance:g}: {reason})" if reason else ""
        print(f"{proxy:<16} {worst.difference:.1e} at {worst.arch_str}{note}")
    for proxy in sorted(set(reference.proxy) - set(compared.proxy)):
        print(f"{proxy:<16} not compared: no such proxy here, one of other spaces, or an aggregate")
    print(
        f"{len(compared)} values compared on {compared.arch_str.nunique()} architectures, "
        f"worst relative difference {compared.difference.max():.1e}, {failed} beyond tolerance"
    )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    errors.run(main)
