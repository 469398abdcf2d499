"""Layers whose second derivative is nearly as cheap as the first, for Hessian-vector products.

torch differentiates the backward pass of a convolution through general convolutions over transposed copies, that of
BatchNorm through unfused elementwise operations, and those of ReLU and pooling also by inputs they do not depend on,
which adds up tensors of zeros; together this made up most of a Hessian-vector product.

A convolution z = W * x with incoming gradient g has g_x = W^T g and g_W = x o g. Differentiating <q, g_x> + <v, g_W>
gives W * q + v * x by g, v^T g by x and q o g by W. In a product with the weights themselves (v = W) the first needs a
single convolution, W * (q + x), and the second none, since W^T g is g_x.

BatchNorm, per channel, with N positions, s = 1 / sqrt(var + eps), x^ = s (x - mean): its backward pass is

    g_x = gamma s P(g),    P(v) = v - mean(v) - x^ mean(v x^).

P is symmetric, so the derivative of <q, g_x> by g is gamma s P(q), the fused kernel once more. Writing
<q, g_x> = gamma s N (A - B C) with A = mean(q g) - mean(q) mean(g), B = mean(q x^), C = mean(g x^), and using
ds/dx = -s^2 x^ / N, dB/dx = s P(q) / N, dC/dx = s P(g) / N, its derivative by x is

    -gamma s^2 [C (q - mean(q)) + B (g - mean(g)) + (A - 3 B C) x^],

a linear combination of q, g and x with one coefficient per channel. ReLU and average pooling are linear in g.
"""

import contextlib

import torch
from torch import nn
from torch.nn import functional as F

convolution_backward = torch.ops.aten.convolution_backward
batchnorm_backward = torch.ops.aten.native_batch_norm_backward
rectifier_backward = torch.ops.aten.threshold_backward
pooling_backward = torch.ops.aten.avg_pool2d_backward

weight_gradients = True


@contextlib.contextmanager
def input_gradients_only():
    """Within, backward passes leave out the gradients of convolutions by their weights, which torch cannot foresee."""
    global weight_gradients
    weight_gradients = False
    try:
        yield
    finally:
        weight_gradients = True


class Convolve(torch.autograd.Function):
    """Convolution of x [B, C, H, W] without bias; geometry: stride, padding, dilation, groups."""

    @staticmethod
    def forward(ctx, x, weight, geometry):
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return F.conv2d(x, weight, None, *geometry)

    @staticmethod
    def backward(ctx, gradient):
        wanted = ctx.needs_input_grad[0], ctx.needs_input_grad[1] and weight_gradients
        return *ConvolveBackward.apply(gradient, *ctx.saved_tensors, ctx.geometry, wanted), None


class ConvolveBackward(torch.autograd.Function):
    """Gradients of `Convolve` by x and by the weight, as far as wanted.

    Differentiable once, provided that the one by the weight is among what is differentiated.
    """

    @staticmethod
    def forward(ctx, gradient, x, weight, geometry, wanted):
        by_x, by_weight = convolution_gradients(gradient, x, weight, geometry, wanted)
        ctx.save_for_backward(gradient, x, weight, by_x)
        ctx.geometry = geometry
        ctx.set_materialize_grads(False)
        return by_x, by_weight

    @staticmethod
    def backward(ctx, q, v):
        gradient, x, weight, by_x = ctx.saved_tensors
        geometry = ctx.geometry
        if v.data_ptr() == weight.data_ptr():
            by_gradient = F.conv2d(x if q is None else q + x, weight, None, *geometry)
        else:
            by_gradient = F.conv2d(x, v, None, *geometry)
            if q is not None:
                by_gradient += F.conv2d(q, weight, None, *geometry)
            by_x, _ = convolution_gradients(gradient, x, v, geometry, (True, False))
        by_weight = None if q is None else convolution_gradients(gradient, q, weight, geometry, (False, True))[1]
        return by_gradient, by_x, by_weight, None, None


def convolution_gradients(gradient, x, weight, geometry, wanted):
    stride, padding, dilation, groups = geometry
    return convolution_backward(
        gradient, x, weight, None, stride, padding, dilation, False, (0, 0), groups, (*wanted, False)
    )[:2]


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
        x = ctx.saved_tensors[0]
        if x.is_contiguous(memory_format=torch.channels_last):  # the kernel is six times slower on mixed layouts
            gradient = gradient.contiguous(memory_format=torch.channels_last)
        return NormalizeBackward.apply(gradient, *ctx.saved_tensors, ctx.epsilon), None, None, None


class NormalizeBackward(torch.autograd.Function):
    """Gradient of `Normalize` by x; differentiable once, by the incoming gradient and by x."""

    @staticmethod
    def forward(ctx, gradient, x, scale, mean, inverse_deviation, epsilon):
        by_x, by_scale, by_shift = batchnorm_backward(
            gradient, x, scale, None, None, mean, inverse_deviation, True, epsilon, [True, True, True]
        )
        ctx.save_for_backward(gradient, x, scale, mean, inverse_deviation, by_scale, by_shift)
        ctx.epsilon = epsilon
        return by_x

    @staticmethod
    def backward(ctx, q):
        g, x, scale, mean, s, sum_gx, sum_g = ctx.saved_tensors
        by_g, sum_qx, sum_q = batchnorm_backward(q, x, scale, None, None, mean, s, True, ctx.epsilon, [True] * 3)
        count = x.numel() / x.shape[1]
        b, c, g_mean, q_mean = sum_qx / count, sum_gx / count, sum_g / count, sum_q / count
        a = (q * g).mean((0, 2, 3)) - q_mean * g_mean
        factor = -scale * s * s
        x_factor = factor * (a - 3 * b * c) * s
        constant = -factor * (c * q_mean + b * g_mean) - x_factor * mean
        by_x = torch.addcmul(per_channel(constant), q, per_channel(factor * c))
        by_x.addcmul_(g, per_channel(factor * b)).addcmul_(x, per_channel(x_factor))
        return by_g, by_x, None, None, None, None


def per_channel(values):
    return values[None, :, None, None]


class Rectify(torch.autograd.Function):
    """ReLU."""

    @staticmethod
    def forward(ctx, x):
        rectified = x.relu()
        ctx.save_for_backward(rectified)
        return rectified

    @staticmethod
    def backward(ctx, gradient):
        return RectifyBackward.apply(gradient, *ctx.saved_tensors)


class RectifyBackward(torch.autograd.Function):
    """Gradient of `Rectify`, where its output was positive."""

    @staticmethod
    def forward(ctx, gradient, rectified):
        ctx.save_for_backward(rectified)
        return rectifier_backward(gradient, rectified, 0)

    @staticmethod
    def backward(ctx, q):
        return rectifier_backward(q, *ctx.saved_tensors, 0), None


class Pool(torch.autograd.Function):
    """Average pooling; geometry: the arguments of `avg_pool2d` from kernel_size on."""

    @staticmethod
    def forward(ctx, x, geometry):
        ctx.save_for_backward(x)
        ctx.geometry = geometry
        return F.avg_pool2d(x, *geometry)

    @staticmethod
    def backward(ctx, gradient):
        return PoolBackward.apply(gradient, *ctx.saved_tensors, ctx.geometry), None


class PoolBackward(torch.autograd.Function):
    """Gradient of `Pool` by x, which does not depend on x."""

    @staticmethod
    def forward(ctx, gradient, x, geometry):
        ctx.geometry = geometry
        return pooling_backward(gradient, x, *geometry)

    @staticmethod
    def backward(ctx, q):
        return F.avg_pool2d(q, *ctx.geometry), None, None


class TwiceConv2d(nn.Conv2d):
    def forward(self, x):
        return Convolve.apply(x, self.weight, (self.stride, self.padding, self.dilation, self.groups))


class TwiceBatchNorm2d(nn.BatchNorm2d):
    def forward(self, x):
        if self.affine:
            return Normalize.apply(x, self.weight.detach(), self.bias.detach(), self.eps)
        return Normalize.apply(x, x.new_ones(self.num_features), x.new_zeros(self.num_features), self.eps)


class TwiceReLU(nn.ReLU):
    def forward(self, x):
        return Rectify.apply(x)


class TwiceAvgPool2d(nn.AvgPool2d):
    def forward(self, x):
        geometry = self.kernel_size, self.stride, self.padding, self.ceil_mode
        return Pool.apply(x, (*geometry, self.count_include_pad, self.divisor_override))


def with_cheap_second_derivative(net):
    """The network in train mode, its layers changed in place wherever one above computes the same.

    BatchNorms then keep no running statistics and their parameters are constants.
    """
    for module in net.modules():
        if type(module) is nn.Conv2d and module.bias is None and module.padding_mode == "zeros":
            module.__class__ = TwiceConv2d
        elif type(module) is nn.BatchNorm2d:
            module.__class__ = TwiceBatchNorm2d
        elif type(module) is nn.ReLU:
            module.__class__ = TwiceReLU
        elif type(module) is nn.AvgPool2d:
            module.__class__ = TwiceAvgPool2d
    return net
