#!/usr/bin/env python3
"""Computes small nets given by description in double precision with PyTorch, as make_golden.py does
AlexNets: reduced forms of configs/nets/vgg-a.net and zfnet.net.

The descriptions are read here once more, by other code than Convoy's; only what these nets use.
"""

import argparse
import dataclasses
import math
import pathlib

import h5py
import numpy as np
import torch
import torch.nn.functional as F

from make_golden import Margins

# Input 32 leaves 16, 8, 4, 2 and 1 pixels.
VGG_A = """input 32
conv 8 kernel 3 pad 1 relu
pool kernel 2 stride 2
conv 16 kernel 3 pad 1 relu
pool kernel 2 stride 2
conv 24 kernel 3 pad 1 relu
conv 24 kernel 3 pad 1 relu
pool kernel 2 stride 2
conv 32 kernel 3 pad 1 relu
conv 32 kernel 3 pad 1 relu
pool kernel 2 stride 2
conv 32 kernel 3 pad 1 relu
conv 32 kernel 3 pad 1 relu
pool kernel 2 stride 2
fc 48 relu
fc 40 relu
fc classes"""
# Input 71 leaves 34, 17, 7, 3 and 1 pixels; the first pooling clips its last windows.
ZFNET = """input 71
conv 16 kernel 7 stride 2 pad 1 relu
pool kernel 3 stride 2 round-up
lrn size 5 alpha 1e-4 beta 0.75 k 2
conv 24 kernel 5 stride 2 relu
pool kernel 3 stride 2 round-up
lrn size 5 alpha 1e-4 beta 0.75 k 2
conv 32 kernel 3 pad 1 relu
conv 32 kernel 3 pad 1 relu
conv 24 kernel 3 pad 1 relu
pool kernel 3 stride 2 round-up
fc 48 relu
fc 40 relu
fc classes"""
NETS = {"vgg_a": VGG_A, "zfnet": ZFNET}
CLASSES = 10
IMAGES = 2
HIDDEN_BIAS, LOGITS_GAIN, LOGITS_BIAS = 10.0, 0.015, 0.1


@dataclasses.dataclass
class Statement:
    kind: str
    count: str  # the number behind conv and fc
    words: dict  # of attributes; "" where a word stands alone

    def number(self, word, otherwise=None):
        return type(otherwise or 0)(self.words.get(word, otherwise))


def read(text):
    statements = []
    for line in text.splitlines():
        kind, *rest = line.split()
        count = rest.pop(0) if kind in ("input", "conv", "fc") else ""
        words = {}
        while rest:
            word = rest.pop(0)
            words[word] = "" if word in ("relu", "round-up") else rest.pop(0)
        statements.append(Statement(kind, count, words))
    return statements


def draw(text, seed):
    """Parameters by layer in Convoy's layouts, images and labels; exact in single precision."""
    random = np.random.default_rng(seed)

    def normal(shape, std):
        values = (random.standard_normal(shape) * std).astype(np.float32)
        return torch.from_numpy(values).double().requires_grad_()

    parameters = {}
    size = int(read(text)[0].count)
    images = random.integers(-128, 128, (IMAGES, size, size, 3))
    channels = 3
    for statement in read(text)[1:]:
        if statement.kind == "conv":
            kernel = statement.number("kernel")
            shape = (int(statement.count), kernel, kernel, channels)
            size = (size + 2 * statement.number("pad", 0) - kernel) // statement.number("stride", 1) + 1
        elif statement.kind == "fc":
            last = statement.count == "classes"
            shape = (CLASSES if last else int(statement.count), size, size, channels)
            size = 1
        elif statement.kind == "pool":
            kernel, stride = statement.number("kernel"), statement.number("stride")
            x = torch.zeros(1, 1, size, size)
            size = F.max_pool2d(x, kernel, stride, ceil_mode="round-up" in statement.words).shape[2]
            continue
        else:
            continue
        last = statement.count == "classes"
        gain = LOGITS_GAIN if last else 1.0
        parameters[f"{statement.kind}{len(parameters) + 1}"] = {
            "weight": normal(shape, gain * math.sqrt(2 / math.prod(shape[1:]))),
            "bias": normal(shape[:1], LOGITS_BIAS if last else HIDDEN_BIAS),
        }
        channels = shape[0]
    labels = random.integers(0, CLASSES, IMAGES)
    return parameters, torch.from_numpy(images).double(), torch.from_numpy(labels)


def forward(text, parameters, images):
    """Logits [N, classes] and the margins."""
    margins = Margins()
    layers = iter(parameters.values())
    x = images.permute(0, 3, 1, 2)
    for statement in read(text)[1:]:
        if statement.kind in ("conv", "fc"):
            layer = next(layers)
            weight = layer["weight"].permute(0, 3, 1, 2)
        if statement.kind == "conv":
            x = F.conv2d(x, weight, layer["bias"], statement.number("stride", 1),
                         statement.number("pad", 0))
        elif statement.kind == "fc":
            x = F.linear(x.flatten(1), weight.flatten(1), layer["bias"])[:, :, None, None]
        elif statement.kind == "pool":
            kernel, stride = statement.number("kernel"), statement.number("stride")
            up = "round-up" in statement.words
            margins.see_pool(x.detach(), up, kernel, stride)
            x = F.max_pool2d(x, kernel, stride, ceil_mode=up)
        elif statement.kind == "lrn":  # PyTorch divides alpha by the size
            window = statement.number("size")
            x = F.local_response_norm(x, window, float(statement.words["alpha"]) * window,
                                      float(statement.words["beta"]), float(statement.words["k"]))
        if "relu" in statement.words:
            margins.see_relu(x.detach())
            x = F.relu(x)
    return x.flatten(1), margins


def find_seed(text, margin, tries):
    for seed in range(1, tries + 1):
        with torch.no_grad():
            parameters, images, _ = draw(text, seed)
            if forward(text, parameters, images)[1].smallest >= margin:
                return seed
    raise SystemExit(f"No seed of {tries} keeps a margin of {margin:g}.")


def write(path, text, seed):
    parameters, images, labels = draw(text, seed)
    logits, margins = forward(text, parameters, images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "convoy-golden-net/1"
        file.attrs["net"] = "; ".join(text.splitlines())
        file.attrs["classes"] = np.int64(CLASSES)
        file.attrs["seed"] = seed
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
    print(f"{path.name}: seed {seed}, loss {loss.item():.6f}, logits' standard deviation "
          f"{logits.std().item():.3g}, margins {margins.relu:.2g} (ReLU) and {margins.pool:.2g} "
          f"(pooling), {path.stat().st_size / 1e6:.2f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent,
                        metavar="DIR", help="where the files go (default: beside this script)")
    parser.add_argument("--margin", type=float, default=1e-4,
                        help="least relative distance from a ReLU's zero and from a tie in a "
                             "pooling window (default: %(default)g)")
    parser.add_argument("--tries", type=int, default=20000,
                        help="seeds to try for it (default: %(default)d)")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, text in NETS.items():
        seed = find_seed(text, arguments.margin, arguments.tries)
        write(arguments.output / f"{name}.h5", text, seed)


if __name__ == "__main__":
    main()
