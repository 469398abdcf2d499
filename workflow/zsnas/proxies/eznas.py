"""EZNAS-A (Akhauri et al., 2022), a score found by evolution over the statistics of convolutions' gradients.

Mean over convolutions of ||sigmoid(log|det(sign(dL/dw))|)||, the determinant of each kernel (k x k) and the Frobenius
norm over all kernels of a layer. As a kernel of signs is either singular or one of very few values, this is close to
the root of a count of weights. The gradients are those of the study's minibatch, where the authors pass noise. The
program that they released reads other gradients, by what enters a block, and ranks far better (docs/results).
"""

import torch

from zsnas import proxy


@proxy(paper="arXiv:2209.07413", networks="convolutional")
def eznas_a(grads):
    kernels = [gradient for gradient in grads if gradient.dim() == 4]
    if any(gradient.shape[2] != gradient.shape[3] for gradient in kernels):
        raise ValueError("a kernel is not square and has no determinant")
    norms = [torch.linalg.slogdet(gradient.sign()).logabsdet.sigmoid().norm() for gradient in kernels]
    return sum(norms) / len(norms)
