#!/usr/bin/env python3
"""Computes whole AlexNets in double precision with PyTorch and stores them as tests' references.

Tensors are kept in Convoy's layouts (activations [N, H, W, C], kernels [K, R, S, C / groups], fully
connected weights [out, H, W, C]): the leaves of the graph have these layouts and are permuted on
their way into PyTorch's operations, so gradients come out in the same layouts.
"""

import argparse
import dataclasses
import math
import pathlib

import h5py
import numpy as np
import torch
import torch.nn.functional as F

LRN = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}  # PyTorch divides alpha by size


@dataclasses.dataclass(frozen=True)
class Net:
    """What the test must ask Convoy's builder for; counts are over both towers."""

    towers: int
    input: int
    kernels: tuple
    neurons: tuple
    classes: int
    pool_round_up: bool
    images: int


SMALL = {"kernels": (32, 48, 48, 48, 32), "neurons": (64, 48), "classes": 10, "images": 4}
# Input 67 leaves 15, 7, 3 and 1 pixels, the same for either rounding. Input 71 leaves 16, 8, 4 and
# 2 when pooling rounds up: windows are clipped, and the order of fc6's inputs shows.
SMALL_NETS = {
    "one_column": Net(towers=1, input=67, pool_round_up=False, **SMALL),
    "two_towers": Net(towers=2, input=67, pool_round_up=False, **SMALL),
    "two_towers_round_up": Net(towers=2, input=71, pool_round_up=True, **SMALL),
}
FULL = {"input": 227, "kernels": (96, 256, 384, 384, 256), "neurons": (4096, 4096),
        "classes": 1000, "pool_round_up": False, "images": 2}
FULL_NETS = {
    "full_one_column": Net(towers=1, **FULL),
    "full_two_towers": Net(towers=2, **FULL),
}


@dataclasses.dataclass(frozen=True)
class Conv:
    kernel: int
    stride: int
    pad: int
    across_towers: bool  # kernels read both towers
    norm: bool
    pool: bool
    gain: float  # of the weights, over He's sqrt(2 / inputs)
    bias_std: float


# The gains give conv1 and conv2 outputs of 100 and more, where LRN's sum weighs as much as its k.
CONVS = {
    "conv1": Conv(11, 4, 0, True, norm=True, pool=True, gain=1.5, bias_std=20),
    "conv2": Conv(5, 1, 2, False, norm=True, pool=True, gain=3.0, bias_std=20),
    "conv3": Conv(3, 1, 1, True, norm=False, pool=False, gain=1.0, bias_std=10),
    "conv4": Conv(3, 1, 1, False, norm=False, pool=False, gain=1.0, bias_std=10),
    "conv5": Conv(3, 1, 1, False, norm=False, pool=True, gain=1.0, bias_std=10),
}
HIDDEN_GAIN, HIDDEN_BIAS_STD = 1.0, 10.0
LOGITS_GAIN, LOGITS_BIAS_STD = 0.015, 0.1  # logits of a few units: no probability is near 0 or 1


def pool_extent(size, round_up):
    out = (size - 3) // 2 + 1
    return out + 1 if round_up and (size - 3) % 2 else out


def parameter_shapes(net):
    """Layer name -> (weights' shape in Convoy's layout, gain, standard deviation of biases)."""
    shapes = {}
    channels, size = 3, net.input
    for (name, conv), kernels in zip(CONVS.items(), net.kernels):
        read = channels if conv.across_towers else channels // net.towers
        shapes[name] = ((kernels, conv.kernel, conv.kernel, read), conv.gain, conv.bias_std)
        channels = kernels
        size = (size + 2 * conv.pad - conv.kernel) // conv.stride + 1
        if conv.pool:
            size = pool_extent(size, net.pool_round_up)
    for name, neurons in zip(("fc6", "fc7"), net.neurons):
        shapes[name] = ((neurons, size, size, channels), HIDDEN_GAIN, HIDDEN_BIAS_STD)
        channels, size = neurons, 1
    shapes["fc8"] = ((net.classes, 1, 1, channels), LOGITS_GAIN, LOGITS_BIAS_STD)
    return shapes


def draw(net, seed):
    """Parameters, images and labels; every value is exact in single precision."""
    random = np.random.default_rng(seed)

    def normal(shape, std):
        values = (random.standard_normal(shape) * std).astype(np.float32)
        return torch.from_numpy(values).double().requires_grad_()

    parameters = {}
    for name, (shape, gain, bias_std) in parameter_shapes(net).items():
        parameters[name] = {
            "weight": normal(shape, gain * math.sqrt(2 / math.prod(shape[1:]))),
            "bias": normal(shape[:1], bias_std),
        }
    # Grey levels less a mean of 128: whole numbers, so that the file compresses.
    images = random.integers(-128, 128, (net.images, net.input, net.input, 3))
    labels = random.integers(0, net.classes, net.images)
    return parameters, torch.from_numpy(images).double(), torch.from_numpy(labels)


class Margins:
    """How far a forward pass stays from the points where its gradient jumps.

    Both margins are relative to the root mean square of the tensor they are found in.
    """

    def __init__(self):
        self.relu = math.inf  # smallest |input| of a ReLU
        self.pool = math.inf  # smallest gap between a window's maximum and its next value

    def see_relu(self, x):
        self.relu = min(self.relu, (x.abs().min() / x.square().mean().sqrt()).item())

    def see_pool(self, x, round_up, kernel=3, stride=2):
        size = x.shape[-1]
        over = (size - kernel) % stride if round_up else 0
        windows = F.pad(x, (0, stride - over if over else 0) * 2, value=-math.inf)
        windows = windows.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(-2)
        first, second = windows.topk(2, dim=-1).values.unbind(-1)
        # A window of zeros is a tie, but ReLU passes none of its gradient on.
        gap = (first - second)[first > 0].min()
        self.pool = min(self.pool, (gap / x.square().mean().sqrt()).item())

    @property
    def smallest(self):
        return min(self.relu, self.pool)


def forward(net, parameters, images):
    """Logits [N, classes], the margins, and each layer's output [N, H, W, C] by name."""
    margins = Margins()
    outputs = {}
    x = images.permute(0, 3, 1, 2)
    for name, conv in CONVS.items():
        weight = parameters[name]["weight"].permute(0, 3, 1, 2)
        groups = 1 if conv.across_towers else net.towers
        x = F.conv2d(x, weight, parameters[name]["bias"], conv.stride, conv.pad, groups=groups)
        margins.see_relu(x.detach())
        x = F.relu(x)
        outputs[name] = x.permute(0, 2, 3, 1)
        if conv.norm:
            x = torch.cat([F.local_response_norm(tower, **LRN)
                           for tower in x.chunk(net.towers, dim=1)], dim=1)
            outputs["norm" + name[-1]] = x.permute(0, 2, 3, 1)
        if conv.pool:
            margins.see_pool(x.detach(), net.pool_round_up)
            x = F.max_pool2d(x, 3, 2, ceil_mode=net.pool_round_up)
            outputs["pool" + name[-1]] = x.permute(0, 2, 3, 1)
    for name in ("fc6", "fc7", "fc8"):
        weight = parameters[name]["weight"].permute(0, 3, 1, 2)
        x = F.linear(x.flatten(1), weight.flatten(1), parameters[name]["bias"])
        if name != "fc8":
            margins.see_relu(x.detach())
            x = F.relu(x)
        outputs[name] = x[:, None, None, :]
        x = x[:, :, None, None]
    return x.flatten(1), margins, outputs


def find_seed(net, margin, tries):
    """The first seed whose forward pass keeps the margin."""
    widest = 0.0
    for seed in range(1, tries + 1):
        with torch.no_grad():
            parameters, images, _ = draw(net, seed)
            _, margins, _ = forward(net, parameters, images)
        if margins.smallest >= margin:
            return seed
        widest = max(widest, margins.smallest)
    raise SystemExit(f"No seed of {tries} keeps a margin of {margin:g}; the widest is {widest:g}.")


def write(path, net, seed, with_outputs):
    parameters, images, labels = draw(net, seed)
    logits, margins, outputs = forward(net, parameters, images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "convoy-golden/1"
        for name, value in dataclasses.asdict(net).items():
            file.attrs[name] = np.asarray(value, dtype=np.int64)
        file.attrs["seed"] = seed
        for name, value in LRN.items():
            file.attrs["lrn_" + name] = value
        file.attrs["lrn_alpha_divided"] = 1
        file.attrs["relu_margin"] = margins.relu
        file.attrs["pool_margin"] = margins.pool
        file.attrs["torch"] = str(torch.__version__)
        file.create_dataset("input", data=images.numpy().astype(np.float32), compression="gzip",
                            shuffle=True)
        file["labels"] = labels.numpy().astype(np.int32)
        file["logits"] = logits.detach().numpy()
        file["loss"] = loss.item()
        for layer, tensors in parameters.items():
            for kind, tensor in tensors.items():
                file[f"parameters/{layer}/{kind}"] = tensor.detach().numpy().astype(np.float32)
                file[f"gradients/{layer}/{kind}"] = tensor.grad.numpy().astype(np.float32)
        if with_outputs:
            for layer, tensor in outputs.items():
                file[f"outputs/{layer}"] = tensor.detach().numpy().astype(np.float32)
    print(f"{path.name}: seed {seed}, loss {loss.item():.6f}, logits' standard deviation "
          f"{logits.std().item():.3g}, margins {margins.relu:.2g} (ReLU) and {margins.pool:.2g} "
          f"(pooling), {path.stat().st_size / 1e6:.2f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent,
                        metavar="DIR", help="where the files go (default: beside this script)")
    parser.add_argument("--full", action="store_true",
                        help="the two full-size nets instead of the small ones, each with the "
                             "outputs of its layers; about 0.5 GB a file, not for the repository")
    parser.add_argument("--margin", type=float, default=1e-4,
                        help="least relative distance of the small nets from a ReLU's zero and "
                             "from a tie in a pooling window (default: %(default)g)")
    parser.add_argument("--tries", type=int, default=20000,
                        help="seeds to try for it (default: %(default)d)")
    parser.add_argument("--only", choices=[*SMALL_NETS, *FULL_NETS], help="write this net only")
    arguments = parser.parse_args()
    if arguments.full and arguments.output.resolve() == pathlib.Path(__file__).resolve().parent:
        parser.error("--full writes a gigabyte: give it an --output outside the repository")

    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, net in (FULL_NETS if arguments.full else SMALL_NETS).items():
        if arguments.only not in (None, name):
            continue
        # A full-size net has too many ReLUs for any seed to keep a margin.
        seed = 1 if arguments.full else find_seed(net, arguments.margin, arguments.tries)
        write(arguments.output / f"{name}.h5", net, seed, with_outputs=arguments.full)


if __name__ == "__main__":
    main()
