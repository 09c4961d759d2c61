#!/usr/bin/env python3
"""Trains a small net of alexnet-pytorch's shape with PyTorch in double precision, stores its losses.

The recipe's own preprocessing, optimisers and initial biases; no dropout. Weights are drawn wider
than the recipe's, which are for layers of thousands of inputs and would leave nothing to learn from.
"""

import argparse
import math
import pathlib

import h5py
import numpy as np
import torch
import torch.nn.functional as F

from make_golden import Net, forward, parameter_shapes

NET = Net(towers=1, input=67, kernels=(16, 24, 32, 24, 16), neurons=(32, 24), classes=10,
          pool_round_up=False, images=8)
BATCHES = 3  # they come in turn
STEPS = 30
BIASES = {"conv2": 1, "conv4": 1, "conv5": 1, "fc6": 1, "fc7": 1}  # others 0
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LOGITS_GAIN = 0.3  # the first losses are near that of a guess
OPTIMISERS = {
    "adam": lambda tensors: torch.optim.Adam(tensors, lr=1e-4),
    "sgd": lambda tensors: torch.optim.SGD(tensors, lr=0.01, momentum=0.9, weight_decay=5e-4),
}


def draw(seed):
    """Parameters exact in single precision, pixels 0..255 [batch, image, H, W, C], labels."""
    random = np.random.default_rng(seed)
    parameters = {}
    for name, (shape, _, _) in parameter_shapes(NET).items():
        spread = math.sqrt(2 / math.prod(shape[1:])) * (LOGITS_GAIN if name == "fc8" else 1)
        parameters[name] = {
            "weight": (random.standard_normal(shape) * spread).astype(np.float32),
            "bias": np.full(shape[0], BIASES.get(name, 0), np.float32),
        }
    pixels = random.integers(0, 256, (BATCHES, NET.images, NET.input, NET.input, 3), np.uint8)
    labels = random.integers(0, NET.classes, (BATCHES, NET.images), np.int32)
    return parameters, pixels, labels


def losses(kind, parameters, pixels, labels):
    """The loss before each step's update."""
    leaves = {layer: {part: torch.from_numpy(tensor).double().requires_grad_()
                      for part, tensor in tensors.items()}
              for layer, tensors in parameters.items()}
    optimiser = OPTIMISERS[kind]([t for tensors in leaves.values() for t in tensors.values()])
    found = []
    for step in range(STEPS):
        batch = step % BATCHES
        images = torch.from_numpy(pixels[batch]).double() / 255
        images = (images - torch.tensor(MEAN).double()) / torch.tensor(DEVIATION).double()
        logits, _, _ = forward(NET, leaves, images)
        loss = F.cross_entropy(logits, torch.from_numpy(labels[batch]).long())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        found.append(loss.item())
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = pathlib.Path(__file__).parent / "training" / "alexnet_pytorch.h5"
    parser.add_argument("--output", type=pathlib.Path, default=here, metavar="FILE",
                        help="where the file goes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all draws (default: %(default)d)")
    arguments = parser.parse_args()

    parameters, pixels, labels = draw(arguments.seed)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(arguments.output, "w") as file:
        file.attrs["format"] = "convoy-golden-training/1"
        file.attrs["input"] = np.int64(NET.input)
        file.attrs["classes"] = np.int64(NET.classes)
        file.attrs["seed"] = np.int64(arguments.seed)
        file.attrs["torch"] = str(torch.__version__)
        file["pixels"] = pixels.reshape(-1, *pixels.shape[2:])
        file["labels"] = labels
        for layer, tensors in parameters.items():
            for kind, tensor in tensors.items():
                file[f"parameters/{layer}/{kind}"] = tensor
        for kind in OPTIMISERS:
            found = losses(kind, parameters, pixels, labels)
            file[f"losses/{kind}"] = np.asarray(found)
            print(f"{kind}: loss {found[0]:.6f} at the first step, {found[-1]:.6f} at the last")


if __name__ == "__main__":
    main()
