"""Ranks of scores, as votes add them up."""

import numpy as np
from scipy.stats import rankdata


def log_rank(scores):
    """Logarithm of each score's rank as a fraction of all (n,), at most 0; ties share their mean rank."""
    return np.log(rankdata(scores) / len(scores))
