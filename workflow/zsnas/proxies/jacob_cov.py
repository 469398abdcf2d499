"""Jacobian covariance (Mellor et al., 2020, first version of NASWOT).

-sum_i [log(lambda_i + eps) + 1 / (lambda_i + eps)] over the eigenvalues of the correlation matrix between the samples'
input Jacobians, eps = 1e-5. The matrix is symmetric, so a symmetric solver is used and rounding below zero is cut off;
the published code calls a general one, which may return complex numbers. `jacov` is NASLib's name of the same score.
"""

import torch

from zsnas import proxy

EPSILON = 1e-5


@proxy(paper="arXiv:2006.04647v1")
def jacob_cov(jacobian):
    correlations = torch.corrcoef(jacobian.double())
    if not correlations.isfinite().all():  # of a sample without a gradient; the solver's error would not say so
        return torch.nan
    eigenvalues = torch.linalg.eigvalsh(correlations).clamp(min=0) + EPSILON
    return -(eigenvalues.log() + 1 / eigenvalues).sum()


@proxy(paper="arXiv:2006.04647v1")
def jacov(jacobian):
    """Jacobian covariance (Mellor et al., 2020) under NASLib's name: equal to `jacob_cov`."""
    return jacob_cov(jacobian)
