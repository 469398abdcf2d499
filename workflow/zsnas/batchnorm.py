"""BatchNorm in train mode whose second derivative is as cheap as its first.

torch differentiates BatchNorm's backward pass by unfused elementwise operations, which made up half of a
Hessian-vector product. Per channel, with N positions, s = 1 / sqrt(var + eps), x^ = s (x - mean) and an overline for
the mean over positions, the backward pass is

    g_x = gamma s P(g),    P(v) = v - v_mean - x^ mean(v x^).

P is symmetric, so the derivative of <q, g_x> by g is gamma s P(q), the fused kernel once more. Writing
<q, g_x> = gamma s N (A - B C) with A = mean(q g) - q_mean g_mean, B = mean(q x^), C = mean(g x^), and using
ds/dx = -s^2 x^ / N, dB/dx = s P(q) / N, dC/dx = s P(g) / N, its derivative by x is

    -gamma s^2 [C (q - q_mean) + B (g - g_mean) + (A - 3 B C) x^],

a linear combination of q, g and x with one coefficient per channel.
"""

import torch
from torch import nn

fused_backward = torch.ops.aten.native_batch_norm_backward


class Normalize(torch.autograd.Function):
    """Batch normalisation of x [B, C, H, W]; scale, shift [C] and epsilon are constants."""

    @staticmethod
    def forward(ctx, x, scale, shift, epsilon):
        normalized, mean, inverse_deviation = torch.native_batch_norm(x, scale, shift, None, None, True, 0.0, epsilon)
        ctx.save_for_backward(x, scale, mean, inverse_deviation)
        ctx.epsilon = epsilon
        return normalized

    @staticmethod
    def backward(ctx, gradient):
        return NormalizeBackward.apply(gradient, *ctx.saved_tensors, ctx.epsilon), None, None, None


class NormalizeBackward(torch.autograd.Function):
    """Gradient of `Normalize` by x, itself differentiable once by the incoming gradient and by x."""

    @staticmethod
    def forward(ctx, gradient, x, scale, mean, inverse_deviation, epsilon):
        by_x, by_scale, by_shift = fused_backward(
            gradient, x, scale, None, None, mean, inverse_deviation, True, epsilon, [True, True, True]
        )
        ctx.save_for_backward(gradient, x, scale, mean, inverse_deviation, by_scale, by_shift)
        ctx.epsilon = epsilon
        return by_x

    @staticmethod
    def backward(ctx, q):
        g, x, scale, mean, s, sum_gx, sum_g = ctx.saved_tensors
        by_g, sum_qx, sum_q = fused_backward(q, x, scale, None, None, mean, s, True, ctx.epsilon, [True, True, True])
        count = x.numel() / x.shape[1]
        b, c, g_mean, q_mean = sum_qx / count, sum_gx / count, sum_g / count, sum_q / count
        a = (q * g).mean((0, 2, 3)) - q_mean * g_mean
        factor = -scale * s * s
        x_factor = factor * (a - 3 * b * c) * s
        constant = -factor * (c * q_mean + b * g_mean) - x_factor * mean
        by_x = torch.addcmul(per_channel(constant), q, per_channel(factor * c))
        by_x.addcmul_(g, per_channel(factor * b)).addcmul_(x, per_channel(x_factor))
        return by_g, by_x, None, None, None, None


class TrainBatchNorm(nn.Module):
    """Stands in for an `nn.BatchNorm2d` in train mode; keeps no running statistics, its own parameters are constants."""

    def __init__(self, original):
        super().__init__()
        self.register_buffer("scale", original.weight.detach())
        self.register_buffer("shift", original.bias.detach())
        self.epsilon = original.eps

    def forward(self, x):
        return Normalize.apply(x, self.scale, self.shift, self.epsilon)


def with_cheap_second_derivative(net):
    """The network, its BatchNorms replaced in place."""
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, TrainBatchNorm(child))
    return net


def per_channel(values):
    return values[None, :, None, None]
