"""What GraSP is made of on NAS-Bench-201: `python docs/results/nasbench201/grasp.py STUDY IMAGES`.

STUDY is the study.parquet of nasbench201/sample.yaml, IMAGES the images it prepared. Prints a Markdown table of the
parts of GraSP's score (see the docstring of zsnas.proxies.grasp), of 200 networks in double precision: |g|^2, and for
each group of layers -g . grad S, where S is the sum of w * g over that group.
"""

import sys

import pandas as pd
import torch

from zsnas import passes
from zsnas.inputs import minibatches
from zsnas.score import Subject
from zsnas.spaces import nasbench201

NETWORKS = 200


def groups(net):
    """Positions of layers: the classifier, the shortcuts that no BatchNorm follows, and all others, which one does."""
    names = {module: name for name, module in net.named_modules()}
    layers = passes.layers(net)
    shortcuts = [at for at, layer in enumerate(layers) if "shortcut" in names[layer]]
    last = len(layers) - 1
    return {
        "classifier": [last],
        "shortcuts": shortcuts,
        "followed by BatchNorm": [at for at in range(last) if at not in shortcuts],
    }


def parts(net, inputs, labels):
    """The score's parts by name; their sum is the score."""
    weights = [layer.weight for layer in passes.layers(net)]
    loss = passes.criterion(net)(net(inputs), labels)
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    found = {"squared gradient": sum(gradient.square().sum() for gradient in gradients).item()}
    for name, positions in groups(net).items():
        scale = sum((weights[at] * gradients[at]).sum() for at in positions)
        slopes = torch.autograd.grad(scale, weights, retain_graph=True)
        found[name] = -sum((gradient * slope).sum() for gradient, slope in zip(gradients, slopes)).item()
    return found


def main():
    study = pd.read_parquet(sys.argv[1]).query("sampled").groupby("canonical")
    networks = study[["accuracy_nats_test", "grasp"]].mean().sample(NETWORKS, random_state=0)
    task = "cifar10"
    batches = minibatches(sys.argv[2], task, nasbench201.TASKS[task], 64, 0)
    rows = []
    for canonical in networks.index:
        subject = Subject(nasbench201, canonical, task, 0, "float64", batches, "cpu")
        rows.append(parts(subject.net(), *subject.batches()[0]))
    frame = pd.DataFrame(rows, index=networks.index)
    score = frame.sum(axis=1)
    frame["squared gradient and classifier"] = frame["squared gradient"] + frame["classifier"]
    frame["score"] = score
    frame["score as shipped, in single precision"] = networks.grasp
    print("| part | median size, of the score's | Spearman with the score | Kendall with accuracy |")
    print("|---|---|---|---|")
    for name, values in frame.items():
        alike, rank = values.corr(score, "spearman"), values.corr(networks.accuracy_nats_test, "kendall")
        print(f"| {name} | {(values / score).abs().median():.3g} | {alike:.2f} | {rank:.2f} |")


if __name__ == "__main__":
    main()
