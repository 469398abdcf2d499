"""NN-Mass (Bhardwaj et al., 2021) and NN-Degree (Li et al., 2021): topology of long-range links, survey Eqs. 19 and 20.

For cells of depth d and width w whose layers read at most t channels through long-range links, the layers read
R = sum_{i=2}^{d-1} min(w (i - 1), t) of them in all, of w (d - 1)(d - 2) / 2 there could be.

    NN-Mass   = sum over cells of rho w d,  rho = 2 R / (w (d - 1)(d - 2)), the density of links
    NN-Degree = sum over cells of w + w R / (w d): a layer's width, plus long-range links per channel

NN-Degree's formula is recalled and not verified against the paper: links per channel are read as the w R links of a
cell over its w d channels.
"""

import numpy as np

from zsnas import proxy


@proxy(paper="arXiv:1910.00780")
def nn_mass(links):
    """NN-Mass (Bhardwaj et al., 2021): density of long-range links times width times depth, summed over cells."""
    density = 2 * links.read() / (links.width * (links.depth - 1) * (links.depth - 2))
    return np.nansum(density * links.width * links.depth, axis=1)


@proxy(paper="arXiv:2108.00568")
def nn_degree(links):
    """NN-Degree (Li et al., 2021): mean number of links of a channel, short and long, summed over cells."""
    return np.nansum(links.width + links.read() / links.depth, axis=1)
