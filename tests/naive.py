"""Every network proxy once more, straight from its formula: one at a time, in plain torch, nothing shared.

Each is a function `naive_<proxy>(build, batches, rng) -> float`: `build()` gives a new network in train mode with the
same initial weights each time, `batches` is a list of (inputs, labels), `rng` a generator in the state the proxy would
be given. They are what the proxies are tested against and what their speed is compared with. Where a network cuts its
images into tiles, a layer's output has a row for each tile, those of one image in a row.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from zsnas import registry


def naive_of(proxy):
    """The function of a proxy's name."""
    return globals()[f"naive_{proxy}"]


def missing():
    """Network proxies that have no function here."""
    network = [name for name, it in registry.proxies().items() if it.of_networks]
    return [name for name in network if f"naive_{name}" not in globals()]


def layers_of(net):
    return [module for module in net.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def with_gradients(build, batch):
    """Layers of a new network whose weights hold the loss's gradient."""
    net = build()
    images, labels = batch
    F.cross_entropy(net(images), labels).backward()
    layers = layers_of(net)
    for layer in layers:
        if layer.weight.grad is None:
            layer.weight.grad = torch.zeros_like(layer.weight)
    return layers


def naive_grad_norm(build, batches, rng):
    return sum(float(layer.weight.grad.norm()) for layer in with_gradients(build, batches[0]))


def naive_snip(build, batches, rng):
    return sum(
        float((layer.weight.data * layer.weight.grad).abs().sum()) for layer in with_gradients(build, batches[0])
    )


def naive_plain(build, batches, rng):
    return sum(float((layer.weight.data * layer.weight.grad).sum()) for layer in with_gradients(build, batches[0]))


def naive_l2_norm(build, batches, rng):
    return sum(float(layer.weight.data.norm()) for layer in layers_of(build()))


def naive_grasp(build, batches, rng):
    """With torch's own double backward and the product in its original order, w * (H g)."""
    net = build()
    images, labels = batches[0]
    weights = [layer.weight for layer in layers_of(net)]
    gradients = torch.autograd.grad(F.cross_entropy(net(images), labels), weights, create_graph=True, allow_unused=True)
    used = [(weight, gradient) for weight, gradient in zip(weights, gradients) if gradient is not None]
    inner = sum((gradient.detach() * gradient).sum() for _, gradient in used)
    products = torch.autograd.grad(inner, [weight for weight, _ in used], allow_unused=True)
    pairs = [(weight.detach(), product) for (weight, _), product in zip(used, products) if product is not None]
    return -sum(float((weight * product).sum()) for weight, product in pairs)


def naive_fisher(build, batches, rng):
    net = build()
    images, labels = batches[0]
    outputs = []

    def keep(layer, _, output):
        output.retain_grad()
        outputs.append((layer, output))

    for layer in layers_of(net):
        layer.register_forward_hook(keep)
    F.cross_entropy(net(images), labels).backward()
    total = 0
    for layer, output in outputs:
        if output.grad is None:
            continue
        product = output.detach() * output.grad
        while product.dim() > 2:
            product = product.sum(-1)
        product = product.reshape(len(images), -1, product.shape[1]).sum(1)
        saliency = (product**2).mean(0) / 2
        total += float(saliency[:, None].expand(-1, layer.weight[0].numel()).sum())
    return total


def input_jacobian(build, batches):
    net = build()
    images = batches[0][0].clone().requires_grad_()
    logits = net(images)
    logits.backward(torch.ones_like(logits))
    return images.grad.flatten(1).double().numpy(), logits.shape[1]


def naive_jacob_cov(build, batches, rng):
    jacobian, _ = input_jacobian(build, batches)
    eigenvalues = np.linalg.eigvals(np.corrcoef(jacobian)).real + 1e-5
    return float(-np.sum(np.log(eigenvalues) + 1 / eigenvalues))


def naive_jacov(build, batches, rng):
    return naive_jacob_cov(build, batches, rng)


def naive_epe_nas(build, batches, rng):
    jacobian, classes = input_jacobian(build, batches)
    labels = batches[0][1].numpy()
    sums = {}
    for label in sorted(set(labels.tolist())):
        rows = jacobian[labels == label]
        if classes > 100 and len(rows) == 1:
            continue
        total = 0
        for first in rows:
            for second in rows:
                total += math.log(abs(np.corrcoef(first, second)[0, 1]) + 1e-5)
        sums[label] = total / len(rows) if classes > 100 else total
    if classes <= 100:
        return sum(abs(total) for total in sums.values())
    return sum(abs(first - second) for first in sums.values() for second in sums.values()) / len(sums)


def naive_synflow(build, batches, rng):
    return flow(build, batches, keep_batchnorm=False)


def naive_synflow_bn(build, batches, rng):
    return flow(build, batches, keep_batchnorm=True)


def flow(build, batches, keep_batchnorm):
    net = build().double()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and not keep_batchnorm:
            module.forward = lambda x: x
    for parameter in net.parameters():
        parameter.data.abs_()
    net(torch.ones(1, *batches[0][0].shape[1:], dtype=torch.float64)).sum().backward()
    layers = [layer for layer in layers_of(net) if layer.weight.grad is not None]
    return sum(float((layer.weight.data * layer.weight.grad).abs().sum()) for layer in layers)


def naive_nwot(build, batches, rng):
    return agreement_determinant(build(), batches[0][0], lambda module: isinstance(module, nn.ReLU))


def naive_nwot_bw(build, batches, rng):
    return agreement_determinant(build(), batches[0][0], lambda module: "ReLU" in str(type(module)))


@torch.no_grad()
def agreement_determinant(net, images, hooked):
    kernel = np.zeros((len(images), len(images)))

    def count(module, given, _):
        nonlocal kernel
        on = (given[0].reshape(len(images), -1) > 0).float()
        kernel = kernel + (on @ on.T).double().numpy() + ((1 - on) @ (1 - on).T).double().numpy()

    for module in net.modules():
        if hooked(module):
            module.register_forward_hook(count)
    net(images)
    return float(np.linalg.slogdet(kernel)[1])


@torch.no_grad()
def naive_linear_regions(build, batches, rng):
    net, images = build(), batches[0][0]
    signs = []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda module, _, output: signs.append(output.reshape(len(images), -1) > 0))
    net(images)
    return float(len({row.numpy().tobytes() for row in torch.cat(signs, 1)}))


@torch.no_grad()
def naive_zen(build, batches, rng):
    net = build()
    images = batches[0][0]
    first = torch.randn(images.shape, generator=rng).to(images)
    second = torch.randn(images.shape, generator=rng).to(images)
    for layer in layers_of(net):
        layer.weight.data = torch.randn(layer.weight.shape, generator=rng).to(layer.weight)
    difference = net.forward_features(first) - net.forward_features(first + 0.01 * second)
    score = math.log(sum(float(sample.abs().sum()) for sample in difference) / len(images))
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            score += math.log(math.sqrt(float(module.running_var.mean())))
    return score


def naive_zico(build, batches, rng):
    return sum(zico_of_layers(build, batches))


def zico_of_layers(build, batches):
    gradients = [[layer.weight.grad for layer in with_gradients(build, batch)] for batch in batches]
    scores = []
    for first, second in zip(*gradients):
        mean, deviation = (first.abs() + second.abs()) / 2, (first - second).abs() / 2
        total = float((mean / deviation)[deviation > 0].sum())
        scores.append(math.log(total) if total > 0 else 0.0)
    return scores


def naive_ntk_cond(build, batches, rng):
    net = build()
    logits = net(batches[0][0][:16])
    rows = []
    for sample in logits:
        net.zero_grad()
        sample.sum().backward(retain_graph=True)
        parameters = [(name, parameter) for name, parameter in net.named_parameters() if parameter.grad is not None]
        rows.append(torch.cat([parameter.grad.flatten() for name, parameter in parameters if "weight" in name]))
    eigenvalues = torch.linalg.eigvalsh(torch.stack(rows).double() @ torch.stack(rows).double().T)
    return float(eigenvalues.max() / eigenvalues.min())


def naive_gradsign(build, batches, rng):
    net = build()
    signs = 0
    for image, label in zip(*batches[0]):
        net.zero_grad()
        F.cross_entropy(net(image[None]), label[None]).backward()
        gradients = [layer.weight.grad for layer in layers_of(net)]
        sizes = [layer.weight.numel() for layer in layers_of(net)]
        known = [torch.zeros(size) if gradient is None else gradient for gradient, size in zip(gradients, sizes)]
        signs = signs + torch.cat([gradient.flatten().sign().double() for gradient in known])
    return float(signs.abs().sum())


def block_features(build, batches):
    net = build()
    features = []
    for block in (net.stem, *net.cells):
        block.register_forward_hook(lambda module, _, output: features.append(output))
    net(batches[0][0])
    return features


def entropies(features):
    found = []
    for feature in features:
        rows = feature.detach().permute(0, 2, 3, 1).reshape(-1, feature.shape[1]).numpy()
        eigenvalues = np.maximum(np.linalg.eigvalsh(np.cov(rows.T, bias=True)), 0)
        shares = eigenvalues / eigenvalues.sum()
        found.append(float(-(shares * np.log(shares + 1e-8)).sum()))
    return found


def naive_az_expressivity(build, batches, rng):
    return sum(entropies(block_features(build, batches)))


def naive_az_progressivity(build, batches, rng):
    found = entropies(block_features(build, batches))
    return min(after - before for before, after in zip(found, found[1:]))


def naive_az_trainability(build, batches, rng):
    features = block_features(build, batches)
    scores = []
    for given, output in zip(features, features[1:]):
        signs = torch.randint(2, output.shape, generator=rng).to(output.dtype) * 2 - 1
        (gradient,) = torch.autograd.grad(output, given, signs, retain_graph=True)
        if gradient.shape[2:] != signs.shape[2:]:
            gradient = nn.PixelUnshuffle(gradient.shape[2] // signs.shape[2])(gradient)
        matrix = torch.einsum("nihw,nohw->io", gradient, signs) / (len(signs) * signs.shape[2] * signs.shape[3])
        largest = float(np.linalg.svd(matrix.numpy())[1].max())
        scores.append(2 - largest - 1 / (largest + 1e-6))
    return sum(scores) / len(scores)


def naive_swap(build, batches, rng):
    net, images = build(), batches[0][0]
    signs = []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda module, _, output: signs.append(output.reshape(len(images), -1) > 0))
    with torch.no_grad():
        net(images)
    return float(len(torch.cat(signs, 1)[:16].T.unique(dim=0)))


@torch.no_grad()
def outputs_of_modules(build, batches, rng):
    net = build()
    outputs = []
    for module in net.modules():
        module.register_forward_hook(lambda module, _, output: outputs.append(output.transpose(0, 1).double().numpy()))
    net(torch.randn(1, 3, 64, 64, generator=rng).to(batches[0][0]))
    return [output.reshape(len(output), -1) for output in outputs]


def least_eigenvalue(channels):
    centred = channels - channels.mean(1, keepdims=True)
    scale = np.sqrt((centred**2).sum(1))
    products = np.outer(scale, scale)
    correlations = np.divide(centred @ centred.T, products, out=np.zeros_like(products), where=products > 0)
    return float(np.linalg.eigvals(correlations).real.min())


def naive_meco(build, batches, rng):
    return sum(map(least_eigenvalue, outputs_of_modules(build, batches, rng)))


def naive_meco_opt(build, batches, rng):
    total = 0
    for channels in outputs_of_modules(build, batches, rng):
        drawn = channels[torch.randperm(len(channels), generator=rng)[:8].numpy()]
        total += least_eigenvalue(drawn) * len(channels) / len(drawn)
    return total


@torch.no_grad()
def naive_near(build, batches, rng):
    net = build()
    total = 0

    def measure(module, given, output):
        nonlocal total
        channels = output.shape[1]
        start = None
        for values in (given[0], output):
            rows = values.permute(0, 2, 3, 1).reshape(-1, channels).double().numpy()
            if start is None:
                start = int(torch.randint(max(len(rows) - channels, 0) + 1, (), generator=rng))
            singular = np.linalg.svd(rows[start : start + channels])[1]
            shares = (singular / singular.sum())[singular > 0]
            total += math.exp(-(shares * np.log(shares)).sum())

    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(measure)
    net(batches[0][0])
    return total


def naive_eznas_a(build, batches, rng):
    norms = []
    for layer in with_gradients(build, batches[0]):
        if isinstance(layer, nn.Conv2d):
            with np.errstate(divide="ignore"):
                logarithms = np.log(np.abs(np.round(np.linalg.det(np.sign(layer.weight.grad.numpy())), 6)))
            norms.append(math.sqrt((1 / (1 + np.exp(-logarithms)) ** 2).sum()))
    return sum(norms) / len(norms)


def naive_zico_bc(build, batches, rng):
    net = build()
    penalty = 0

    def add(layer, _, output):
        nonlocal penalty
        _, channels, height, width = output.shape
        penalty += math.log(height * width / math.sqrt(channels))

    for layer in layers_of(net):
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(add)
    net(batches[0][0])
    return sum(zico_of_layers(build, batches)) - penalty


def naive_vkdnw(build, batches, rng):
    """Sample by sample, class by class, through the gradient of every parameter."""
    net = build()
    for layer in layers_of(net):
        layer.weight.data = torch.randn(layer.weight.shape, generator=rng).to(layer.weight)
        layer.weight.data *= math.sqrt(2 / layer.weight[0].numel())
        if layer.bias is not None:
            layer.bias.data.zero_()
    net.eval()
    parameters = list(net.parameters())
    information = 0
    images = batches[0][0][:64]
    for image in images:
        logits = net(image[None])[0]
        probabilities = logits.detach().double().softmax(0) * 0.95 + 0.05 / len(logits)
        rows = []
        for logit in logits:
            gradients = torch.autograd.grad(logit, parameters, retain_graph=True, allow_unused=True)
            rows.append([0.0 if gradient is None else float(gradient.flatten()[0]) for gradient in gradients])
        jacobian = torch.tensor(rows, dtype=torch.float64)
        covariance = torch.diag(probabilities) - torch.outer(probabilities, probabilities)
        information = information + jacobian.T @ covariance @ jacobian / len(images)
    deciles = np.quantile(np.linalg.svd(information.numpy())[1], np.arange(1, 10) / 10)
    shares = deciles / deciles.sum()
    return len(parameters) - float(sum(share * math.log(share) for share in shares if share > 0))


def naive_dss(build, batches, rng):
    """By name and shape: attention is what lies in a module called attention, or is square."""
    net = build().double().eval()
    for parameter in net.parameters():
        parameter.data.abs_()
    net(torch.ones(1, *batches[0][0].shape[1:], dtype=torch.float64)).sum().backward()
    total = 0
    for name, parameter in net.named_parameters():
        if parameter.dim() < 2 or "weight" not in name:
            continue
        weight, slope = parameter.detach(), parameter.grad
        if ".attention." in name or (weight.dim() == 2 and len(weight) == weight.shape[1]):
            total += float(np.linalg.svd(slope.numpy())[1].sum() * np.linalg.svd(weight.numpy())[1].sum())
        else:
            total += float((weight * slope).abs().sum())
    return total
