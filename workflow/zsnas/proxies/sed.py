"""SED, suppression of local entropy decrease (Wu et al., 2024), by a formula of our own: docs/sed.md derives it.

The paper scores topology alone, in three parts: too many skip connections, small convolution kernels and large pooling
kernels lower the local entropy of feature maps. Its closed formula is not public in our sources; this one follows from
the same argument and is tuned on nothing. A map has at most the local entropy of a standard Gaussian,
H = log(2 pi e) / 2. Each node of the cell sums maps; it loses, in this order and never more than is left,

    skip  -log(F / T) / 2                    T: power of the sum, F: of that part of it that is not a copy
    pool  -log(P / F) / 2                    P: what averaging leaves of F, 1/k^2 of a k x k pooling's power
    conv  (1 + (K - 1) log(1 - 1/K)) / 2     K: independent values that one value is mixed from, k^2 for one kernel

and a node that holds nothing but copies, or is read by no operation, has lost all. Scores are minus the loss summed
over nodes, the same for all cells of one canonical network. For another formula replace `entropy_lost`.
"""

import numpy as np

from zsnas import proxy

GAUSSIAN = np.log(2 * np.pi * np.e) / 2  # nats
ALL_BY_COPYING = np.array([[GAUSSIAN], [0], [0]])


@proxy(paper="arXiv:2411.06236")
def sed(cells):
    """SED, our derivation (after Wu et al., 2024): entropy that skips, convolutions and poolings do not destroy."""
    return kept(loss for kind in cells for loss in entropy_lost(kind))


@proxy(paper="arXiv:2411.06236")
def sed_skip(cells):
    """Skip part of SED, our derivation (after Wu et al., 2024): loss where a node adds copies."""
    return kept(entropy_lost(kind)[0] for kind in cells)


@proxy(paper="arXiv:2411.06236")
def sed_conv(cells):
    """Convolution part of SED, our derivation (after Wu et al., 2024): loss where few values are mixed."""
    return kept(entropy_lost(kind)[1] for kind in cells)


@proxy(paper="arXiv:2411.06236")
def sed_pool(cells):
    """Pooling part of SED, our derivation (after Wu et al., 2024): loss where windows are averaged."""
    return kept(entropy_lost(kind)[2] for kind in cells)


def kept(losses):
    """Minus the sum of all losses, rounded: sums in another order must stay ties."""
    return -sum(losses).round(9)


def entropy_lost(cells):
    """Nats lost to skips, convolutions and poolings, summed over nodes: three arrays [architectures], none negative."""
    live = cells.live()
    conv, pool, skip = ((live & cells.carry(kind)).T for kind in ("conv", "pool", "skip"))
    # Maps are the cell's inputs and what convolutions and poolings give, one per edge that carries any. averaged: power
    # a map has left; mixed: 1 / k^2 of a convolution. Both [maps, architectures].
    giving = np.flatnonzero((conv | pool).any(1)).tolist()
    window = (1 / np.array([operation.kernel for operation in cells.operations]) ** 2)[cells.chosen.T[giving]]
    given = np.ones((cells.inputs, len(live)))
    averaged = np.vstack([given, np.where(pool[giving], window, 1)])
    mixed = np.vstack([0 * given, np.where(conv[giving], window, 0)])
    held = np.zeros((cells.nodes, *averaged.shape))  # amplitude of each map in the sum that a node is
    known = np.zeros(held.shape, bool)  # maps among what the node is computed from
    held[range(cells.inputs), range(cells.inputs)] = 1
    lost = np.zeros((3, len(live)))
    for node in range(cells.nodes):
        maps = cells.inputs + sum(cells.edges[edge][1] <= node for edge in giving)  # the others are made later
        read = np.full(len(live), node < cells.inputs or node == cells.nodes - 1)
        for edge, (source, target) in enumerate(cells.edges):
            if source == node:
                read |= conv[edge] | pool[edge]
            if target == node:
                held[node, :maps] += skip[edge] * held[source, :maps]
                if edge in giving:
                    held[node, cells.inputs + giving.index(edge)] += conv[edge] | pool[edge]
                known[node, :maps] |= live[:, edge] & known[source, :maps]
        if node >= cells.inputs:
            terms = (values[:maps] for values in (held[node] ** 2, known[node], averaged, mixed))
            lost += np.where(read, losses_of_sum(*terms), ALL_BY_COPYING)
        known[node, :maps] |= read & (held[node, :maps] > 0)
    return lost


def losses_of_sum(power, known, averaged, mixed):
    """What one sum of maps loses to copies, mixing and averaging [3, architectures]; all arguments by map."""
    fresh = power * ~known
    averaged = fresh * averaged
    after_skip = remaining(GAUSSIAN, fresh.sum(0), power.sum(0))
    after_pool = remaining(after_skip, averaged.sum(0), fresh.sum(0))
    after_conv = np.maximum(after_pool - collinearity(averaged.sum(0), (fresh**2 * mixed).sum(0)), 0)
    return np.array([GAUSSIAN - after_skip, after_pool - after_conv, after_skip - after_pool])


def remaining(entropy, part, whole):
    """Entropy left of a sum when only a part of its power counts; none where there is no such part."""
    share = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return np.maximum(entropy + np.log(share, out=np.full(len(part), -np.inf), where=share > 0) / 2, 0)


def collinearity(power, spread):
    """Nats per channel that wide random convolutions lose because their channels are not independent.

    K = power^2 / spread is k^2 for one k x k kernel, n k^2 for n of them, infinite without a convolution.
    """
    share = np.divide(spread, power**2, out=np.zeros(len(power)), where=spread > 0)  # 1 / K
    inner = (share > 0) & (share < 1)
    log = np.log1p(-share, out=np.zeros(len(share)), where=inner)
    return np.where(share > 0, (1 + np.divide(1 - share, share, out=np.zeros(len(share)), where=inner) * log) / 2, 0)
