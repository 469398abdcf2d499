"""SNIP (Lee et al., 2019), a proxy in Abdelfattah et al., 2021: sum |w * dL/dw| over conv and linear weights."""

from zsnas import proxy


@proxy(paper="arXiv:1810.02340")
def snip(weights, grads):
    return [(weight * gradient).abs().sum() for weight, gradient in zip(weights, grads)]
