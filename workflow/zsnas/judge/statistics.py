"""Rank correlation of many scores with one truth, for many bootstrap replicates and several top fractions at once.

A replicate is a vector of integer weights: an item of weight 3 counts as three items tied with one another, one of
weight 0 does not exist. Both correlations follow from one order of the items, best truth first. Cutting to the best
fraction by truth keeps a prefix of that order, so one sweep serves every cut: Kendall's sum of concordant minus
discordant pairs is read off as the sweep passes each cut, from a Fenwick tree over the ranks of the score. Ranks by
truth, counted from the best, do not depend on the cut either; only ranks by score do, and one linear pass per cut gives
them for Spearman.

Sixteen replicates travel together: a node of the tree is sixteen int32, one cache line. All sums are of whole
numbers and exact in float64 up to a total weight of 2e5 (beyond, to the last bits), so equal orders give exactly 1.
"""

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic
from scipy.special import erf, ndtri

LANES = 16
NODES, NODE_WEIGHTS = (np.polynomial.legendre.leggauss(64) + np.array([[1.0], [0.0]])) / 2


@intrinsic
def add_line(typingctx, into, i, line, j):
    """``into[i] += line[j]`` on C-contiguous (n, 16) int32 arrays, as one vector addition.

    The plain loop takes four times as long: the compiler cannot know that the two lines do not overlap.
    """

    def codegen(context, builder, signature, args):
        vector = ir.VectorType(ir.IntType(32), LANES)

        def address(array, kind, row):
            data = context.make_array(kind)(context, builder, array).data
            first = builder.gep(data, [builder.mul(row, ir.Constant(ir.IntType(64), LANES))])
            return builder.bitcast(first, vector.as_pointer())

        target, source = address(args[0], into, args[1]), address(args[2], line, args[3])
        total = builder.add(builder.load(target, align=4), builder.load(source, align=4))
        builder.store(total, target, align=4)
        return context.get_dummy_value()

    return types.void(into, types.int64, line, types.int64), codegen


@njit(nogil=True, cache=True)
def prefixes(weight, stops, tops):
    """Where each top fraction ends, replicate by replicate, with the counts that depend on truth alone.

    ``weight`` (n, 16) is sorted best truth first and ``stops`` holds the ends of the groups of equal truth. Returns
    ``place`` (n, 16), twice the midrank of each item counted from the best, minus one; ``cut`` (tops, 16), how many
    sorted items are kept; and for the kept ones ``size``, ``squares`` and ``cubes`` (tops, 16): their total weight, and
    the sums of squared and cubed weights of the groups.
    """
    place = np.empty_like(weight)
    cut = np.zeros((len(tops), LANES), np.int32)
    size, squares, cubes = np.zeros((3, len(tops), LANES))
    goal = np.empty((len(tops), LANES))
    for lane in range(LANES):
        total = weight[:, lane].sum()
        for top in range(len(tops)):
            goal[top, lane] = np.ceil(tops[top] * total - 1e-9)  # 0.1 * 30 is 3.0000000000000004
    for lane in range(LANES):
        before, square, cube, start = 0, 0.0, 0.0, 0
        next_goal = goal[:, lane].min()
        for stop in stops:
            group = 0
            for i in range(start, stop):
                group += weight[i, lane]
            for i in range(start, stop):
                place[i, lane] = 2 * before + group
            count = float(group)
            square += count * count
            cube += count * count * count
            before += group
            start = stop
            if before < next_goal:
                continue
            for top in range(len(tops)):
                if goal[top, lane] <= before:
                    cut[top, lane], size[top, lane] = stop, before
                    squares[top, lane], cubes[top, lane] = square, cube
                    goal[top, lane] = np.inf
            next_goal = goal[:, lane].min()
    return place, cut, size, squares, cubes


@njit(nogil=True, cache=True)
def agreement(rank, weight, stops, cut):
    """Concordant minus discordant pairs among the first ``cut`` (tops, 16) items; ``rank`` (n,) is dense, by score."""
    ranks = rank.max() + 1
    tree = np.zeros((ranks + 1, LANES), np.int32)
    point = np.zeros((ranks, LANES), np.int32)
    below = np.zeros((1, LANES), np.int32)
    total = np.zeros((1, LANES), np.int32)
    pairs = np.zeros(LANES, np.int64)
    result = np.zeros(cut.shape)
    start, group = 0, 0
    for mark in np.unique(cut):
        while start < mark:
            stop = stops[group]
            for i in range(start, stop):
                below[:] = 0
                node = rank[i]
                while node > 0:
                    add_line(below, 0, tree, node)
                    node &= node - 1
                tied = point[rank[i]]
                for lane in range(LANES):
                    above = total[0, lane] - 2 * below[0, lane] - tied[lane]
                    pairs[lane] += np.int64(weight[i, lane]) * above
            for i in range(start, stop):
                add_line(total, 0, weight, i)
                add_line(point, rank[i], weight, i)
                node = rank[i] + 1
                while node <= ranks:
                    add_line(tree, node, weight, i)
                    node += node & -node
            start = stop
            group += 1
        for top in range(len(cut)):
            for lane in range(LANES):
                if cut[top, lane] == mark:
                    result[top, lane] = pairs[lane]
    return result


@njit(nogil=True, cache=True)
def covariance(order, rank, weight, place, cut, size):
    """Rank covariance of score and truth among the first ``cut`` (16,) items, and the score's tie sums.

    ``order`` (m,) lists the items by score. Returns (3, 16): sum of weight times centred rank by score times ``place``,
    and the sums of squared and of cubed weights of groups of equal score.
    """
    before = np.zeros(LANES)
    group = np.zeros(LANES)
    moment = np.zeros(LANES)
    result = np.zeros((3, LANES))
    for position in range(len(order)):
        i = order[position]
        for lane in range(LANES):
            if i < cut[lane]:
                group[lane] += weight[i, lane]
                moment[lane] += float(weight[i, lane]) * place[i, lane]
        if position + 1 < len(order) and rank[order[position + 1]] == rank[i]:
            continue
        for lane in range(LANES):
            count = group[lane]
            result[0, lane] += (2 * before[lane] + count - size[lane]) * moment[lane]
            result[1, lane] += count * count
            result[2, lane] += count * count * count
            before[lane] += count
            group[lane] = 0
            moment[lane] = 0
    return result


@njit(nogil=True, parallel=True, cache=True)
def sweep(ranks, orders, stops, weights, tops):
    """Numerators and denominators of both correlations for every score, top and replicate.

    ``ranks`` and ``orders`` (scores, n), ``weights`` (replicates, n), all sorted best truth first. Returns (4, scores,
    tops, replicates): pairs, its scale, covariance, its scale; scales are squared.
    """
    scores, n = ranks.shape
    replicates = len(weights)
    result = np.empty((4, scores, len(tops), replicates))
    for block in prange((replicates + LANES - 1) // LANES):
        first = block * LANES
        used = min(LANES, replicates - first)
        weight = np.zeros((n, LANES), np.int32)
        for lane in range(used):
            weight[:, lane] = weights[first + lane]
        place, cut, size, squares, cubes = prefixes(weight, stops, tops)
        for score in range(scores):
            pairs = agreement(ranks[score], weight, stops, cut)
            for top in range(len(tops)):
                order = orders[score][orders[score] < cut[top].max()]
                moments = covariance(order, ranks[score], weight, place, cut[top], size[top])
                for lane in range(used):
                    square = size[top, lane] * size[top, lane]
                    cube = square * size[top, lane]
                    at = first + lane
                    result[0, score, top, at] = 2.0 * pairs[top, lane]
                    result[1, score, top, at] = (square - moments[1, lane]) * (square - squares[top, lane])
                    result[2, score, top, at] = -3.0 * moments[0, lane]  # place grows as truth falls
                    result[3, score, top, at] = (cube - moments[2, lane]) * (cube - cubes[top, lane])
    return result


def rank_correlations(scores, truth, weights, tops=(1.0,)):
    """Kendall's tau-b and Spearman's rho of every score with the truth, as if each item were repeated ``weight`` times.

    ``scores`` (scores, n) and ``truth`` (n,) are finite, ``weights`` (replicates, n) whole numbers; every replicate is
    cut to its own best fraction by truth for each of ``tops`` (see `kept_by_truth`). Returns two arrays (scores, tops,
    replicates), NaN where score or truth is constant.
    """
    present = weights.any(axis=0)
    best_first = np.flatnonzero(present)[np.argsort(-truth[present], kind="stable")]
    if not len(best_first):
        return np.full((2, len(scores), len(tops), len(weights)), np.nan)
    ranks = np.array([np.unique(score[best_first], return_inverse=True)[1] for score in scores])
    orders = np.argsort(ranks, axis=1, kind="stable")
    stops = np.append(np.flatnonzero(np.diff(truth[best_first])) + 1, len(best_first))
    ordered = np.take(weights, best_first, axis=1)
    pairs, pairs_scale, moment, moment_scale = sweep(ranks, orders, stops, ordered, np.array(tops, float))
    with np.errstate(invalid="ignore"):
        return np.stack([pairs / np.sqrt(pairs_scale), moment / np.sqrt(moment_scale)])


def bootstrap_weights(clusters, replicates, seed):
    """How often each item (n,) is drawn when whole clusters are drawn with replacement; int16 (replicates, n).

    Architectures with the same canonical network share their score, so drawing them one by one gives too narrow an
    interval.
    """
    names, member = np.unique(clusters, return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = np.empty((replicates, len(names)), np.int16)
    for row in counts:
        row[:] = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
    return np.take(counts, member, axis=1)


def sample_weights(clusters, replicates, seed):
    """The plain sample, each item (n,) once, before its `bootstrap_weights`: int16 (1 + replicates, n)."""
    drawn = bootstrap_weights(clusters, replicates, seed)
    return np.vstack([np.ones_like(drawn, shape=(1, drawn.shape[1])), drawn])


def interval(values):
    """Point estimate (first of ``values``) and 95 % percentile interval of the replicates (the rest) that exist.

    There is no interval of an estimate that does not exist, as where all scores of a top fraction are equal: replicates
    that brought in another score would stand for all.
    """
    replicates = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(replicates):
        return values[0], np.nan, np.nan
    return values[0], *np.percentile(replicates, [2.5, 97.5])


def bootstrapped(statistics, columns, clusters, replicates, seed):
    """The `interval` of each number ``statistics(*columns)`` gives; ``columns`` (c, n) are resampled by cluster."""
    samples = [np.repeat(np.arange(len(clusters)), weight) for weight in sample_weights(clusters, replicates, seed)]
    return [interval(values) for values in np.array([statistics(*columns[:, sample]) for sample in samples]).T]


def kept_by_truth(truth, weights, top):
    """``weights`` (replicates, n) with everything below the best fraction ``top`` by ``truth`` (n,) set to zero.

    The threshold is the truth at which the weight counted from the best reaches ceil(top * total weight); ties with it
    stay.
    """
    best_first = np.argsort(-truth, kind="stable")
    counted = np.cumsum(weights[:, best_first], axis=1, dtype=np.int64)
    goal = np.ceil(top * counted[:, -1:] - 1e-9)
    threshold = truth[best_first][np.argmax(counted >= goal, axis=1)]
    return np.where(truth >= threshold[:, None], weights, 0)


def truncated_normal_tau(tau, top):
    """Kendall's tau left in a Gaussian pair of the given ``tau`` when only the best fraction ``top`` by one is kept.

    Given two kept truths a distance d apart, the scores' difference is normal, and the expected sign is erf(d * rho /
    (2 sqrt(1 - rho**2))) with rho = sin(pi tau / 2), so rho / sqrt(1 - rho**2) = tan(pi tau / 2). What is left is the
    mean over pairs of kept truths: Gauss-Legendre over the triangle of their upper-tail probabilities, s and s * t.
    """
    s, t = NODES[:, None], NODES
    apart = ndtri(top * s) - ndtri(top * s * t)
    return float(np.sum(NODE_WEIGHTS[:, None] * NODE_WEIGHTS * 2 * s * erf(apart * np.tan(np.pi * tau / 2) / 2)))
