#!/usr/bin/env python3
"""Packs the same images with Convoy and with Pillow, the way a PyTorch pipeline does, in turn.

The Pillow side decodes, converts to RGB, resizes the shorter side with an antialiased bilinear
filter and cuts the centre, as torchvision's Resize and CenterCrop do on Pillow images; it keeps the
pixels in memory. Convoy does the same and also shuffles, checksums and writes the dataset to disk.
Both use one core; every round runs both, every second round in the other order, and the ratio is
formed inside a round. Convoy's start (about a tenth of a second) is part of its time, so give it
enough images: 500 or more. Needs Pillow, NumPy and h5py.
"""

import argparse
import os
import pathlib
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


def run_pillow(files, size):
    """Seconds for all files."""
    start = time.perf_counter()
    for path in files:
        pack_with_pillow(path, size)
    return time.perf_counter() - start


def run_convoy(convoy, folder, output, size):
    """Seconds for all files, from the start of the program to its end."""
    shutil.rmtree(output, ignore_errors=True)
    command = [convoy, "pack", "--input", folder, "--output", output, "--size", str(size),
               "--threads", "1"]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


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

    ratios, rates = [], {"convoy": [], "pillow": []}
    with tempfile.TemporaryDirectory() as work:
        dataset = pathlib.Path(work) / "packed"
        sides = {
            "convoy": lambda: run_convoy(arguments.convoy, arguments.images, dataset,
                                         arguments.size),
            "pillow": lambda: run_pillow(files, arguments.size),
        }
        for side in sides.values():  # warms the page cache
            side()
        for number in range(arguments.rounds):
            order = list(sides) if number % 2 == 0 else list(reversed(sides))
            seconds = {name: sides[name]() for name in order}
            for name in sides:
                rates[name].append(len(files) / seconds[name])
            ratios.append(seconds["pillow"] / seconds["convoy"])
            print(f"round {number + 1}: convoy {rates['convoy'][-1]:.1f}, "
                  f"Pillow {rates['pillow'][-1]:.1f} images/s, ratio {ratios[-1]:.2f}")
        means = differences(arguments.images, dataset, arguments.size)

    ratio, grey = statistics.median(ratios), statistics.mean(means)
    print(f"\nimages/s per core, median: convoy {statistics.median(rates['convoy']):.1f}, "
          f"Pillow {statistics.median(rates['pillow']):.1f}")
    print(f"ratio, median (least, most): {ratio:.2f} ({min(ratios):.2f}, {max(ratios):.2f}); "
          f"wanted: 1.5")
    print(f"difference in grey levels, mean over {len(means)} images: {grey:.3f} "
          f"(the largest mean of an image {max(means):.3f}); wanted: at most 2")
    sys.exit(0 if ratio >= 1.5 and grey <= 2 else 1)


if __name__ == "__main__":
    main()
