"""ZiCo (Li et al., 2023): sum over layers of log sum_w E|g_w| / sqrt(Var g_w), over the gradients of two minibatches.

Weights whose gradient does not vary are left out, and layers without any other weight add nothing, as in the authors'
code; the deviation over minibatches is taken without Bessel's correction.
"""

import torch

from zsnas import proxy


@proxy(paper="arXiv:2301.11300")
def zico(batch_grads):
    sums = [certainty(torch.stack(gradients)) for gradients in zip(*batch_grads)]
    return [total.log() if total > 0 else total for total in sums]


def certainty(gradients):
    """Sum over weights of mean |g| over standard deviation; gradients [minibatches, ...]."""
    deviation = gradients.std(0, correction=0)
    varies = deviation > 0
    return (gradients.abs().mean(0)[varies] / deviation[varies]).sum()
