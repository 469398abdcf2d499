"""GraSP (Wang et al., 2020), used as a proxy by Abdelfattah et al., 2021: -sum w * (H g) over conv and linear weights.

H is the Hessian and g the gradient of the loss, both of the same minibatch. The minus sign is Abdelfattah et al.'s, who
introduced it because accuracy correlated negatively; expect either sign.

H is symmetric, so the sum equals -sum g * (H w), which is what is computed.

What it measures: where BatchNorm follows a layer, the loss hardly depends on the scale of its weights, so that w * g
adds up to zero there, wherever the weights go. With S the sum of w * g over all other layers, H w is grad S - g, and
the score is |g|^2 - g . grad S. At initialisation logits are small and the loss nearly linear in them, so that S of the
classifier is nearly the loss less a constant, and its part nearly cancels |g|^2. What is left is said by layers that
neither BatchNorm nor the softmax follows: on NAS-Bench-201 two convolutions in the shortcuts of the reduction blocks.
"""

from zsnas import proxy


@proxy(paper="arXiv:2002.07376")
def grasp(grads, hessian_weights):
    return -sum((gradient * curvature).sum() for gradient, curvature in zip(grads, hessian_weights))
