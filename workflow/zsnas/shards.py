"""How a space's canonical networks are cut into shards."""

from zsnas.errors import StudyError
from zsnas.randomness import derive_seed


def shard_of(architectures, shard, size):
    """Rows of the index that are a shard's canonical networks, in order. Raises StudyError beyond the last one.

    The order is pseudo-random and fixed: it depends on the names alone, not on the size of shards or the number of
    networks asked for.
    """
    networks = architectures[architectures.arch == architectures.canonical]
    order = networks.arch.map(lambda arch: derive_seed("shards", arch)).sort_values().index
    chosen = networks.loc[order[shard * size : (shard + 1) * size]]
    if chosen.empty:
        raise StudyError(
            f"shard {shard} of size {size} does not exist, for there are {len(networks)} networks: ask for at most as "
            "many, by key 'architectures' of the space"
        )
    return chosen
