"""Plain (Abdelfattah et al., 2021): sum w * dL/dw over conv and linear weights, signs kept.

Under BatchNorm a layer's sum is nearly zero, as the loss hardly depends on the scale of its weights. In single
precision that cancellation leaves relative errors that are large where the sum is near zero, and the ranking nearly as
it is (docs/precision.md).
"""

from zsnas import proxy


@proxy(paper="arXiv:2101.08134")
def plain(weights, grads):
    return [(weight * gradient).sum() for weight, gradient in zip(weights, grads)]
