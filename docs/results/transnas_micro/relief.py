"""Images and the surface normals of a relief in them: `python docs/results/transnas_micro/relief.py IMAGES OUTPUT`.

The benchmark's own normals are of rooms and cannot be had here; noise for normals, which the samples take, differs from
pixel to pixel, as no surface does. IMAGES is an .npz of small `images`, such as CIFAR-10's. The first, enlarged, count
as reliefs whose height is their brightness, white an eighth of the width above black. OUTPUT is an .npz that
relief.yaml scores with: `images`, and as `labels` the unit normals (x, y and z in [-1, 1], [N, 3, H, W]) of the relief.
"""

import argparse

import numpy as np
import torch
from torch.nn import functional as F

from zsnas import errors
from zsnas.inputs import unpacked
from zsnas.spaces import transnas_micro

IMAGES = 64
LUMINANCE = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601


def enlarged(images, side):
    """Images [N, h, w, 3] (0 to 255) as [N, 3, side, side], bicubic."""
    small = torch.from_numpy(images).float().permute(0, 3, 1, 2)
    return F.interpolate(small, size=side, mode="bicubic", align_corners=False).clamp(0, 255)


def normals(images):
    """Unit normals [N, 3, H, W] of the reliefs that images [N, 3, H, W] (0 to 255) are."""
    side = images.shape[-1]
    height = side / 8 * torch.einsum("nchw,c->nhw", images, LUMINANCE) / 255
    down, right = torch.gradient(height, dim=(1, 2))
    return F.normalize(torch.stack([-right, -down, torch.ones_like(height)], dim=1), dim=1)


def main():
    parser = argparse.ArgumentParser(description="Make images with the normals of the relief in them.")
    parser.add_argument("images", help="an .npz of images and labels")
    parser.add_argument("output")
    arguments = parser.parse_args()
    images = enlarged(unpacked(arguments.images)[0][:IMAGES], transnas_micro.TASKS["normal"]["resolution"])
    labels = normals(images).numpy()
    np.savez(arguments.output, images=images.round().byte().permute(0, 2, 3, 1).numpy(), labels=labels)


if __name__ == "__main__":
    errors.run(main)
