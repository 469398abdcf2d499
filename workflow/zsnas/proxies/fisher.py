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
    """Maps [B, C, H, W], tokens [B, N, C] or [B, C], twice -> [C]."""
    product = output * gradient
    positions = {4: (2, 3), 3: 1}.get(product.dim())
    return 0.5 * (product.sum(positions) if positions else product).square().mean(0)
