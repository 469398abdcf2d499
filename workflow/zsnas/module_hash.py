"""NAS-Bench-101's hash of a cell (Ying et al., ICML 2019), equal for isomorphic cells, of many cells at once.

A vertex starts as the MD5 digest of "(out-degree, in-degree, label)". As often as there are vertices, each takes the
digest of its predecessors' digests, "|", its successors', "|" and its own; digests stand as hexadecimal text, in
ascending order. The hash is the digest of the list of all vertices' digests as Python prints it, again in ascending
order.

MD5 (RFC 1321) is written out here because twenty million short messages spend their time in calls of a library.
"""

import hashlib

import numpy as np
from numba import njit

HEXADECIMAL = np.frombuffer(b"0123456789abcdef", np.uint8)
BAR, OPEN, CLOSE, QUOTE, COMMA, SPACE = b"|[]', "
LONGEST = 512  # bytes of a message with its padding; that of a cell of 7 vertices has at most 259 and 9

STEPS = np.arange(64)
SINES = np.floor(np.abs(np.sin(STEPS + 1)) * 2**32).astype(np.uint32)
SHIFTS = np.array([[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]], np.uint32)[
    STEPS // 16, STEPS % 4
]
WORDS = np.array([1, 5, 3, 7])[STEPS // 16] * STEPS + np.array([0, 1, 5, 0])[STEPS // 16]
WORDS %= 16
INITIAL = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], np.uint32)


def module_hashes(adjacency, labels):
    """The hashes of cells of n vertices, as hexadecimal text.

    adjacency: [cells, n, n], true where an edge leads from the row's vertex to the column's. labels: [cells, n], a
    number for each operation, -1 for the input and -2 for the output.
    """
    degrees = np.stack([adjacency.sum(2), adjacency.sum(1), labels], 2)
    kinds, kind = np.unique(degrees.reshape(-1, 3), axis=0, return_inverse=True)
    first = [hashlib.md5(str(tuple(values)).encode()).digest() for values in kinds.tolist()]
    first = np.frombuffer(b"".join(first), np.uint8).reshape(-1, 16)[kind].reshape(*labels.shape, 16)
    return [digest.tobytes().hex() for digest in hash_cells(np.ascontiguousarray(adjacency), first)]


@njit(nogil=True, cache=True)
def hash_cells(adjacency, first):
    """Digests [cells, 16] of the cells, from the digests [cells, n, 16] that their vertices start from."""
    cells, vertices = adjacency.shape[:2]
    result = np.empty((cells, 16), np.uint8)
    message = np.empty(LONGEST, np.uint8)
    updated = np.empty((vertices, 16), np.uint8)
    for cell in range(cells):
        edges, digests = adjacency[cell], first[cell].copy()
        for _ in range(vertices):
            order = ascending(digests)
            for vertex in range(vertices):
                end = 0
                for other in order:
                    if edges[other, vertex]:
                        end = write(digests[other], message, end)
                message[end] = BAR
                end += 1
                for other in order:
                    if edges[vertex, other]:
                        end = write(digests[other], message, end)
                message[end] = BAR
                end = write(digests[vertex], message, end + 1)
                md5(message, end, updated[vertex])
            digests[:] = updated
        message[0] = OPEN
        end = 1
        for vertex in ascending(digests):
            message[end] = QUOTE
            end = write(digests[vertex], message, end + 1)
            message[end], message[end + 1], message[end + 2] = QUOTE, COMMA, SPACE
            end += 3
        message[end - 2] = CLOSE
        md5(message, end - 1, result[cell])
    return result


@njit(nogil=True, cache=True)
def ascending(digests):
    """Vertices in the order of their digests."""
    order = np.arange(len(digests))
    for at in range(1, len(order)):
        vertex = order[at]
        while at > 0 and before(digests[vertex], digests[order[at - 1]]):
            order[at] = order[at - 1]
            at -= 1
        order[at] = vertex
    return order


@njit(nogil=True, cache=True)
def before(one, other):
    for byte in range(16):
        if one[byte] != other[byte]:
            return one[byte] < other[byte]
    return False


@njit(nogil=True, cache=True)
def write(digest, message, end):
    """Append a digest in hexadecimal to message[:end]; returns the new end."""
    for byte in digest:
        message[end] = HEXADECIMAL[byte >> 4]
        message[end + 1] = HEXADECIMAL[byte & 15]
        end += 2
    return end


@njit(nogil=True, cache=True)
def md5(message, length, digest):
    """Write the MD5 digest of message[:length] into `digest`; padding overwrites what follows in `message`."""
    blocks = (length + 8) // 64 + 1
    message[length : 64 * blocks] = 0
    message[length] = 0x80
    for byte in range(8):
        message[64 * blocks - 8 + byte] = (8 * length >> 8 * byte) & 255
    words, state = message.view(np.uint32), digest.view(np.uint32)
    state[:] = INITIAL
    for block in range(blocks):
        a, b, c, d = state[0], state[1], state[2], state[3]
        for step in range(64):
            if step < 16:
                mixed = (b & c) | (~b & d)
            elif step < 32:
                mixed = (d & b) | (~d & c)
            elif step < 48:
                mixed = b ^ c ^ d
            else:
                mixed = c ^ (b | ~d)
            turned = np.uint32(a + mixed + SINES[step] + words[16 * block + WORDS[step]])
            turned = np.uint32(turned << SHIFTS[step]) | np.uint32(turned >> np.uint32(32 - SHIFTS[step]))
            a, b, c, d = d, np.uint32(b + turned), b, c
        state[0] = np.uint32(state[0] + a)
        state[1] = np.uint32(state[1] + b)
        state[2] = np.uint32(state[2] + c)
        state[3] = np.uint32(state[3] + d)
