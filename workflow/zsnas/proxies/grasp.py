"""GraSP (Wang et al., 2020), used as a proxy by Abdelfattah et al., 2021: -sum w * (H g) over conv and linear weights.

H is the Hessian and g the gradient of the loss, both of the same minibatch. The minus sign is Abdelfattah et al.'s, who
introduced it because accuracy correlated negatively; expect either sign.

H is symmetric, so the sum equals -sum g * (H w), which is what is computed. Under BatchNorm the loss hardly depends on
the scale of a layer's weights, so that H w is nearly -g and the score nearly the sum of |g|^2: a sum of terms of one
sign, where w * (H g) cancels all but a small rest.
"""

from zsnas import proxy


@proxy(paper="arXiv:2002.07376")
def grasp(grads, hessian_weights):
    return -sum((gradient * curvature).sum() for gradient, curvature in zip(grads, hessian_weights))
