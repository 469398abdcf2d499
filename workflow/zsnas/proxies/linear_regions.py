"""Linear regions (Xiong et al., 2020; Chen et al., 2021, TE-NAS): how many ReLU sign patterns the samples make.

Two samples lie in the same linear region if they agree on every ReLU unit. A network of thousands of units tells all
images apart, so that the count is the batch size for nearly every network. TE-NAS avoids that by counting over
thousands of 3 x 3 images with one channel, in a network thinned to one channel; a network as published cannot be
thinned, so what is computed here is the definition.
"""

from zsnas import proxy


@proxy(paper="arXiv:2102.11535", relu=True)
def linear_regions(agreements):
    same = agreements == agreements.diagonal()  # on all units: a sample always agrees with itself
    return (1 / same.sum(1)).sum()
