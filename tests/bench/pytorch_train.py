#!/usr/bin/env python3
"""Times PyTorch's training step of the full-size two-tower AlexNet on the CPU, on random data.

One process with several threads, or several processes that reduce their gradients over gloo
(DistributedDataParallel). Runs on PyTorch 1.13 and later; prints one JSON line.
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import nn
import torch.nn.functional as F

TOWERS = 2
SIZE, ALPHA, BETA, K = 5, 1e-4, 0.75, 2.0  # response normalisation; PyTorch divides alpha by size


class LibraryNorm(nn.Module):
    """PyTorch's own local response normalisation, each tower's maps by themselves."""

    def forward(self, x):
        n, c, h, w = x.shape
        towers = x.reshape(n * TOWERS, c // TOWERS, h, w)
        return F.local_response_norm(towers, SIZE, ALPHA, BETA, K).reshape(n, c, h, w)


class WindowNorm(nn.Module):
    """The same function as a sum of shifted slices: vectorised, and torch.compile can fuse it."""

    def forward(self, x):
        half = SIZE // 2
        n, c, h, w = x.shape
        towers = x.reshape(n, TOWERS, c // TOWERS, h, w)
        squares = F.pad(towers * towers, (0, 0, 0, 0, half, half))
        total = squares[:, :, : c // TOWERS]
        for shift in range(1, SIZE):
            total = total + squares[:, :, shift : shift + c // TOWERS]
        root = (K + ALPHA / SIZE * total).rsqrt()  # d^-1/2; times its own root: d^-3/4
        return (towers * root * root.sqrt()).reshape(n, c, h, w)


def two_tower_alexnet(norm):
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(inplace=True), norm(), nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2, groups=TOWERS), nn.ReLU(inplace=True), norm(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, 3, padding=1, groups=TOWERS), nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1, groups=TOWERS), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 1000),
    )


def sgd(parameters):
    """Momentum SGD, as one fused kernel where this PyTorch has it for the CPU."""
    options = {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}
    parameters = list(parameters)
    try:
        return torch.optim.SGD(parameters, fused=True, **options), "fused"
    except (TypeError, RuntimeError):
        return torch.optim.SGD(parameters, **options), "plain"


def pin(rank, threads):
    cores = sorted(os.sched_getaffinity(0))
    mine = cores[rank * threads : (rank + 1) * threads]
    if len(mine) < threads:
        raise SystemExit(f"Rank {rank} finds no {threads} cores of its own among {len(cores)}.")
    os.sched_setaffinity(0, mine)


def train(rank, settings, rendezvous, result):
    """One process's part: builds the net, trains, and rank 0 leaves the step times in `result`."""
    if settings.pin:
        pin(rank, settings.threads)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(rank)
    distributed = settings.processes > 1
    if distributed:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all processes are on this host
        dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank,
                                world_size=settings.processes)

    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    model = two_tower_alexnet(LibraryNorm if settings.lrn == "library" else WindowNorm)
    model = model.to(memory_format=layout)
    if settings.compile:
        model = torch.compile(model)
    if distributed:
        model = nn.parallel.DistributedDataParallel(
            model, gradient_as_bucket_view=True, broadcast_buffers=False,
            bucket_cap_mb=settings.bucket_mb)
    optimiser, optimiser_kind = sgd(model.parameters())

    batch = settings.batch // settings.processes
    images = torch.randn(batch, 3, 227, 227).to(memory_format=layout)
    labels = torch.randint(0, 1000, (batch,))
    step_s = []
    for step in range(settings.warmup + settings.steps):
        if distributed:
            dist.barrier()
        start = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        value = loss.item()
        if distributed:
            dist.barrier()  # the slowest process's time counts
        if step >= settings.warmup:
            step_s.append(time.perf_counter() - start)
    if rank == 0:
        result.write_text(json.dumps({"step_s": step_s, "loss": value,
                                      "optimiser": optimiser_kind}))
    if distributed:
        dist.destroy_process_group()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=1,
                        help="processes; more than one train as DDP over gloo (default: 1)")
    parser.add_argument("--threads", type=int, default=1,
                        help="threads of each process (default: 1)")
    parser.add_argument("--batch", type=int, default=128,
                        help="images a step, over all processes (default: %(default)d)")
    parser.add_argument("--warmup", type=int, default=2,
                        help="steps before the measured ones (default: %(default)d)")
    parser.add_argument("--steps", type=int, default=5,
                        help="measured steps (default: %(default)d)")
    parser.add_argument("--channels-last", action="store_true",
                        help="activations and kernels in NHWC order")
    parser.add_argument("--compile", action="store_true", help="use torch.compile (PyTorch 2)")
    parser.add_argument("--lrn", choices=["library", "window"], default="library",
                        help="response normalisation: PyTorch's function, or the same written as a "
                             "sum of slices (default: %(default)s)")
    parser.add_argument("--bucket-mb", type=float, default=25,
                        help="size of a gradient bucket in MB (default: %(default)g)")
    parser.add_argument("--pin", action="store_true",
                        help="give each process its own cores, as mpirun --bind-to core does")
    settings = parser.parse_args()
    if settings.batch % settings.processes:
        parser.error("--batch must be a multiple of --processes")
    if settings.compile and not hasattr(torch, "compile"):
        parser.error(f"PyTorch {torch.__version__} has no torch.compile")
    return settings


def main():
    settings = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        rendezvous = os.path.join(folder, "rendezvous")
        result = pathlib.Path(folder, "result.json")
        if settings.processes == 1:
            train(0, settings, rendezvous, result)
        else:
            multiprocessing.spawn(train, (settings, rendezvous, result), settings.processes)
        measured = json.loads(result.read_text())
    step_s = measured["step_s"]
    print(json.dumps({
        "images_per_second": settings.batch / statistics.median(step_s),
        "images_per_second_min": settings.batch / max(step_s),
        "images_per_second_max": settings.batch / min(step_s),
        "step_ms": 1e3 * statistics.median(step_s),
        "loss": measured["loss"],
        "torch": str(torch.__version__),
        "optimiser": measured["optimiser"],
        "malloc": os.environ.get("GLIBC_TUNABLES", "default"),
        **vars(settings),
    }))


if __name__ == "__main__":
    main()
