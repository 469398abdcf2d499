"""L2 norm (Abdelfattah et al., 2021): sum over conv and linear layers of the L2 norm of their weights. Needs no data."""

from zsnas import proxy


@proxy(paper="arXiv:2101.08134")
def l2_norm(weights):
    return [weight.norm() for weight in weights]
