"""Jacobian covariance (Mellor et al., 2020, first version of NASWOT).

-sum_i [log(lambda_i + eps) + 1 / (lambda_i + eps)] over the eigenvalues of the correlation matrix between the samples'
input Jacobians, eps = 1e-5. The matrix is symmetric, so a symmetric solver is used and rounding below zero is cut off;
the published code calls a general one, which may return complex numbers.
"""

import torch

from zsnas import proxy

EPSILON = 1e-5


@proxy(paper="arXiv:2006.04647v1")
def jacob_cov(jacobian):
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(jacobian.double())).clamp(min=0) + EPSILON
    return -(eigenvalues.log() + 1 / eigenvalues).sum()
