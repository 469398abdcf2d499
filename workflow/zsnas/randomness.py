"""Random numbers that depend on what they are for, and on nothing else: not on shards, order or global state."""

import hashlib


def derive_seed(*key):
    """A 63-bit seed from any values that print the same everywhere, such as (seed, architecture, purpose)."""
    digest = hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
