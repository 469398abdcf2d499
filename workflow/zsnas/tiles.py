"""Networks that cut their images into tiles, which pass as one batch: a layer's maps have a row for each tile."""


def regroup(maps, count):
    """Maps [B, C, H, W] as `count` maps, joined or cut along the height; what has `count` rows already as it is.

    With the number of images it makes one tall map of those of an image's tiles, which follow each other.
    """
    if len(maps) == count:
        return maps
    channels_last = maps.movedim(1, -1)
    return channels_last.reshape(count, -1, *channels_last.shape[2:]).movedim(-1, 1)
