"""Gradient norm (Abdelfattah et al., 2021): sum over layers of the L2 norm of the loss's gradient by their weights."""

from zsnas import proxy


@proxy(paper="arXiv:2101.08134")
def grad_norm(grads):
    return [gradient.norm() for gradient in grads]
