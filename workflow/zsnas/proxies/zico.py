"""ZiCo (Li et al., 2023): sum over layers of log sum_w E|g_w| / sqrt(Var g_w), over the gradients of two minibatches.

Weights whose gradient does not vary are left out, and layers without any other weight add nothing, as in the authors'
code; where no layer is left there is no score. The deviation over minibatches is taken without Bessel's correction. The
sum is dominated by weights whose two gradients nearly agree. Single precision, which the authors and all peers use,
moves it and the ranks, hence double precision (docs/precision.md).

`zico_bc` (Bhardwaj et al., 2023) corrects ZiCo's bias towards thin and deep networks: from each convolution's term it
takes beta log(H W / sqrt(C)), with H x W positions and C channels of its output. The authors set beta by hand, to a
value that could not be recovered; here it is 1 and never tuned.
"""

import math

import torch

from zsnas import proxy

BETA = 1.0


@proxy(paper="arXiv:2301.11300", precision="float64")
def zico(batch_grads):
    sums = [certainty(torch.stack(gradients)) for gradients in zip(*batch_grads)]
    if not any(sums):
        return [math.nan] * len(sums)
    return [total if total == 0 else total.log() for total in sums]


@proxy(paper="arXiv:2309.14666", precision="float64", networks="convolutional")
def zico_bc(batch_grads, forward):
    """ZiCo, corrected for its bias towards thin and deep networks (Bhardwaj et al., 2023), with beta = 1."""
    maps = [output.shape for _, output in forward.outputs if output.dim() == 4]
    return sum(zico(batch_grads)) - BETA * sum(math.log(h * w / math.sqrt(c)) for _, c, h, w in maps)


def certainty(gradients):
    """Sum over weights of mean |g| over standard deviation; gradients [minibatches, ...]."""
    deviation = gradients.std(0, correction=0)
    varies = deviation != 0  # NaN too, for it must not be lost
    return (gradients.abs().mean(0)[varies] / deviation[varies]).sum()
