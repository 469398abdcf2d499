"""Plain (Abdelfattah et al., 2021): sum w * dL/dw over conv and linear weights, signs kept.

Under BatchNorm a layer's sum is nearly zero, as the loss hardly depends on the scale of its weights. In single
precision that cancellation leaves errors of up to a few percent, which do not disturb the ranking.
"""

from zsnas import proxy


@proxy(paper="arXiv:2101.08134")
def plain(weights, grads):
    return [(weight * gradient).sum() for weight, gradient in zip(weights, grads)]
