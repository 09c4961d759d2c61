#!/usr/bin/env python3
"""Packs the same images with Convoy and with Pillow, the way a PyTorch pipeline does, in turn.

The Pillow side decodes, converts to RGB, resizes the shorter side with an antialiased bilinear
filter and cuts the centre, as torchvision's Resize and CenterCrop do on Pillow images; it keeps the
pixels in memory. Convoy does the same and also shuffles, checksums and writes the dataset to disk.
Both use one core; every round runs both, every second round in the other order, and the ratio is
formed inside a round: of elapsed time, and of processor time (user and system), which is what a core
is kept busy for and decides the exit code. Elapsed time has the disk in it, which Convoy waits for
at the end and Pillow does not use. Convoy's start is part of its time, so give it enough images: 500
or more. Needs Pillow, NumPy and h5py.
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import h5py
import numpy
from PIL import Image, __version__ as pillow_version


def pack_with_pillow(path, size):
    """The pixels [size, size, 3] of one file."""
    with Image.open(path) as image:
        image = image.convert("RGB")
    width, height = image.size
    if width < height:
        width, height = size, int(size * height / width)
    else:
        width, height = int(size * width / height), size
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return numpy.asarray(image.crop((left, top, left + size, top + size)))


def images_below(folder):
    """The files of class folders."""
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def processor_seconds():
    """Of this process and its children so far."""
    return sum(usage.ru_utime + usage.ru_stime for usage in
               (resource.getrusage(resource.RUSAGE_SELF),
                resource.getrusage(resource.RUSAGE_CHILDREN)))


def timed(work):
    """Elapsed and processor seconds."""
    elapsed, processor = time.perf_counter(), processor_seconds()
    work()
    return time.perf_counter() - elapsed, processor_seconds() - processor


def run_pillow(files, size):
    """All files, one after the other."""
    for path in files:
        pack_with_pillow(path, size)


def run_convoy(convoy, folder, output, size):
    """All files, from the start of the program to its end."""
    shutil.rmtree(output, ignore_errors=True)
    command = [convoy, "pack", "--input", folder, "--output", output, "--size", str(size),
               "--threads", "1"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def differences(folder, dataset, size):
    """Mean absolute difference in grey levels of every image in the dataset."""
    means = []
    for shard in sorted(dataset.glob("shard-*.h5")):
        with h5py.File(shard) as file:
            for name, pixels in zip(file["ids"], file["images"]):
                other = pack_with_pillow(folder / os.fsdecode(name), size).astype(int)
                means.append(numpy.abs(other - pixels).mean())
    return means


def main():
    """Prints a line a round, then the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--convoy", required=True, type=pathlib.Path)
    parser.add_argument("--images", required=True, type=pathlib.Path, help="a folder of class folders")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})  # Convoy inherits it
    files = images_below(arguments.images)
    if not files:
        sys.exit(f"{arguments.images} has no class folders with images")
    print(f"{len(files)} images to {arguments.size} pixels, core {core}, Pillow {pillow_version}, "
          f"{Image.core.jpeglib_version}")

    kinds = ("elapsed", "processor")
    rates = {(side, kind): [] for side in ("convoy", "Pillow") for kind in kinds}
    ratios = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as work:
        dataset = pathlib.Path(work) / "packed"
        sides = {
            "convoy": lambda: run_convoy(arguments.convoy, arguments.images, dataset,
                                         arguments.size),
            "Pillow": lambda: run_pillow(files, arguments.size),
        }
        for side in sides.values():  # warms the page cache
            side()
        for number in range(arguments.rounds):
            order = list(sides) if number % 2 == 0 else list(reversed(sides))
            for name in order:
                for kind, seconds in zip(kinds, timed(sides[name])):
                    rates[name, kind].append(len(files) / seconds)
            for kind in kinds:
                convoy, pillow = rates["convoy", kind][-1], rates["Pillow", kind][-1]
                ratios[kind].append(convoy / pillow)
                print(f"round {number + 1}, {kind} time: convoy {convoy:.1f}, "
                      f"Pillow {pillow:.1f} images/s, ratio {ratios[kind][-1]:.2f}")
        means = differences(arguments.images, dataset, arguments.size)

    print()
    for kind in kinds:
        print(f"{kind} time, medians: convoy {statistics.median(rates['convoy', kind]):.1f}, Pillow "
              f"{statistics.median(rates['Pillow', kind]):.1f} images/s per core; ratio "
              f"{statistics.median(ratios[kind]):.2f} ({min(ratios[kind]):.2f} to "
              f"{max(ratios[kind]):.2f})" + (", wanted: 1.5" if kind == "processor" else ""))
    grey = statistics.mean(means)
    print(f"difference in grey levels, mean over {len(means)} images: {grey:.3f} "
          f"(the largest mean of an image {max(means):.3f}), wanted: at most 2")
    sys.exit(0 if statistics.median(ratios["processor"]) >= 1.5 and grey <= 2 else 1)


if __name__ == "__main__":
    main()
