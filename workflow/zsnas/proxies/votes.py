"""Log-rank votes: sum over proxies of the logarithm of a candidate's rank, as a fraction of all candidates.

AZ-NAS (Lee & Ham, 2024) introduced the sum for its own parts. This vote is over four proxies of different kinds that
need no labels; it is the baseline for every method that learns how to combine proxies.
"""

from zsnas import proxy
from zsnas.proxies._ranks import log_rank


@proxy(paper="arXiv:2403.19232")
def log_rank_vote(nwot, jacob_cov, synflow, params):
    """Log-rank vote (after Lee & Ham, 2024) of NASWOT, Jacob cov, Synflow and the number of parameters."""
    return sum(map(log_rank, (nwot, jacob_cov, synflow, params)))
