"""EPE-NAS (Lopes et al., 2021): correlation of the samples' input Jacobians, class by class.

s_c = sum of log(|correlation| + 1e-5) over all pairs of samples of class c. Up to 100 classes the score is sum_c |s_c|;
beyond, s_c is divided by the number of samples of the class, and the score is sum_c,c' |s_c - s_c'| over the number of
classes seen, a class of one sample being left out. All as in the published code. The score depends on how many samples
a class has in the minibatch, so it says little where classes are many and the batch is small. The logarithm magnifies
correlations near zero, hence double precision (docs/precision.md).
"""

import torch

from zsnas import proxy

EPSILON = 1e-5


@proxy(paper="arXiv:2102.08099", precision="float64", tasks="image classes")
def epe_nas(jacobian, labels, logits):
    classes = [jacobian[labels == label].double() for label in labels.unique()]
    if logits.shape[1] <= 100:
        return sum(log_correlations(samples).abs() for samples in classes)
    several = [samples for samples in classes if len(samples) > 1]
    if not several:
        raise ValueError("no class has two images in the minibatch")
    scores = torch.stack([log_correlations(samples) / len(samples) for samples in several])
    return (scores[:, None] - scores).abs().sum() / len(scores)


def log_correlations(samples):
    """s_c: sum of log(|correlation| + 1e-5) over all pairs of samples [n, 3 H W] of a class."""
    return (torch.corrcoef(samples).abs() + EPSILON).log().sum()
