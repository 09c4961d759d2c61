#!/usr/bin/env python3
"""Times PyTorch on Convoy's two-tower net, in several variants, one JSON line each.

The net is AlexNet with two towers, response normalisation inside a tower, dropout and SGD with
momentum, in channels_last and bf16 autocast. LRN is written three ways: the framework's own
(average pooling over a 5-D view), and as a sum of slices, which torch.compile fuses.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F
from torch import nn


def lrn_module(x):
    a, b = x.chunk(2, 1)
    norm = [F.local_response_norm(t, 5, alpha=5e-4, beta=0.75, k=2.0) for t in (a, b)]
    return torch.cat(norm, 1)


def lrn_slices(x):
    parts = []
    for t in x.chunk(2, 1):
        squares = F.pad((t.float() * t.float()).permute(0, 2, 3, 1), (2, 2))
        channels = t.shape[1]
        window = sum(squares[..., i:i + channels] for i in range(5)).permute(0, 3, 1, 2)
        parts.append(t * (2.0 + 1e-4 * window).pow(-0.75).to(t.dtype))
    return torch.cat(parts, 1)


class AlexNet(nn.Module):
    def __init__(self, lrn):
        super().__init__()
        self.lrn = lrn
        self.conv1 = nn.Conv2d(3, 96, 11, 4)
        self.conv2 = nn.Conv2d(96, 256, 5, 1, 2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, 1, 1)
        self.conv4 = nn.Conv2d(384, 384, 3, 1, 1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, 1, 1, groups=2)
        self.fc6 = nn.Linear(9216, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 1000)

    def forward(self, x):
        x = F.max_pool2d(self.lrn(F.relu(self.conv1(x))), 3, 2)
        x = F.max_pool2d(self.lrn(F.relu(self.conv2(x))), 3, 2)
        x = F.relu(self.conv5(F.relu(self.conv4(F.relu(self.conv3(x))))))
        x = F.max_pool2d(x, 3, 2).flatten(1)
        x = F.dropout(F.relu(self.fc6(x)))
        x = F.dropout(F.relu(self.fc7(x)))
        return self.fc8(x)


def measure(name, lrn, compiled, graph, batch, steps):
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    net = AlexNet(lrn).cuda().to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=5e-4, fused=True)
    # uint8 pixels, as Convoy's batches are; converted on the device.
    pixels = torch.randint(0, 256, (batch, 3, 227, 227), dtype=torch.uint8, device="cuda")
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 1000, (batch,), device="cuda")
    mean = torch.full((1, 3, 1, 1), 127.5, device="cuda")

    def loss_of(images, truth):
        with torch.autocast("cuda", dtype=torch.bfloat16):
            return F.cross_entropy(net((images - mean).to(memory_format=torch.channels_last)), truth)

    loss_call = torch.compile(loss_of) if compiled else loss_of

    def step():
        optimiser.zero_grad(set_to_none=not graph)
        loss_call(pixels, labels).backward()
        optimiser.step()

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(6):
            step()
    torch.cuda.current_stream().wait_stream(side)
    run = step
    if graph:
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            step()
        run = captured.replay
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        run()
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - start) / steps
    print(json.dumps({"variant": name, "batch": batch, "step_ms": 1000 * seconds,
                      "images_per_second": batch / seconds, "torch": torch.__version__,
                      "gpu": torch.cuda.get_device_name()}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    variants = [("eager", lrn_module, False, False), ("eager, graph", lrn_module, False, True),
                ("LRN as slices", lrn_slices, False, False), ("compile", lrn_module, True, False),
                ("compile, LRN as slices", lrn_slices, True, False),
                ("compile, LRN as slices, graph", lrn_slices, True, True)]
    for name, lrn, compiled, graph in variants:
        try:
            measure(name, lrn, compiled, graph, arguments.batch, arguments.steps)
        except Exception as error:  # a variant that this PyTorch cannot do
            print(f"{name}: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main()
