"""Fisher (Turner et al., 2020; Liu et al., 2021), as in Abdelfattah et al., 2021.

A channel's saliency is half the mean over samples of (sum over positions of output * dL/d output)^2. The score counts a
channel once for each weight that feeds it, i.e. times its fan-in: Abdelfattah et al. broadcast saliencies to weights
before summing, and all published figures carry that factor.
"""

from zsnas import proxy


@proxy(paper="arXiv:1906.04113")
def fisher(output_grads):
    return [
        channel_saliency(output, gradient).sum() * layer.weight[0].numel() for layer, output, gradient in output_grads
    ]


def channel_saliency(output, gradient):
    """[B, C, ...] twice -> [C]."""
    product = output * gradient
    return 0.5 * product.flatten(2).sum(2).square().mean(0) if product.dim() > 2 else 0.5 * product.square().mean(0)
