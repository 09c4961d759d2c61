#!/usr/bin/env python3
"""A run's event files before TensorBoard's own reader.

Trains a small net on two ranks, takes its newest checkpoints away, so that it goes on from the
middle, and lets it. Then every number of metrics.jsonl must be there once and equal (in single
precision), histograms must count every parameter, and pictures and configuration must be whole.
Needs requirements-tensorboard.txt; ends with 77 where that is not there.
"""

import json
import re
import struct
import subprocess
import sys

SKIP = 77
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("skipped: this Python has no tensorboard (tests/readers/requirements-tensorboard.txt)")
    sys.exit(SKIP)

from small_run import RUN, check_in_new_folder, make_data, train


def make_run(convoy, folder):
    make_data(convoy, folder)
    train(convoy, folder, 20)
    for checkpoint in (folder / RUN / "checkpoints").glob("step-*.h5"):
        if int(checkpoint.stem.split("-")[1]) > 10:
            checkpoint.unlink()
    train(convoy, folder, 25)


def expected_scalars(metrics):
    """{tag: [(step, value in single precision)]}"""
    scalars = {}
    for line in metrics.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        kind, step = entry.pop("kind"), entry.pop("step")
        times = {f"ms/{name}": value for name, value in entry.pop("ms", {}).items()}
        alone = {"train": "training", "eval": "validation"}[kind]
        for name, value in entry.items():
            shared = name in ("loss", "top1", "top5")
            times[f"{name}/{kind}" if shared else f"{alone}/{name}"] = value
        for tag, value in times.items():
            single = struct.unpack("f", struct.pack("f", value))[0]
            scalars.setdefault(tag, []).append((step, single))
    return scalars


def check(convoy, folder, checks):
    events = EventAccumulator(str(folder / RUN / "tensorboard"), purge_orphaned_data=False,
                              size_guidance=dict.fromkeys(
                                  ("scalars", "histograms", "images", "tensors"), 0))
    events.Reload()
    tags = events.Tags()
    scalars = expected_scalars(folder / RUN / "metrics.jsonl")
    checks.equal("tags of scalars", sorted(scalars), sorted(tags["scalars"]))
    for tag, expected in scalars.items():
        checks.equal(tag, expected, [(e.step, e.value) for e in events.Scalars(tag)])

    newest = max((folder / RUN / "checkpoints").glob("step-*.h5"))
    described = subprocess.run([convoy, "inspect", newest], check=True, capture_output=True,
                               text=True).stdout
    parameters = int(re.search(r"^parameters +([\d,]+)", described, re.M)[1].replace(",", ""))
    for suffix, steps in (("", [0, 5, 10, 15, 20, 25]), ("_gradient", [5, 10, 15, 20, 25])):
        counted = dict.fromkeys(steps, 0)
        for tag in tags["histograms"]:
            if tag.split("/")[0] not in ("weight" + suffix, "bias" + suffix):
                continue
            seen = events.Histograms(tag)
            checks.equal(f"steps of {tag}", steps, [e.step for e in seen])
            for event in seen:
                value = event.histogram_value
                checks.equal(f"sum of {tag}'s buckets", value.num, sum(value.bucket))
                checks.equal(f"order of {tag}'s limits", sorted(value.bucket_limit),
                             list(value.bucket_limit))
                counted[event.step] += value.num
        checks.equal(f"values counted{suffix}", dict.fromkeys(steps, parameters), counted)

    checks.equal("pictures", ["inputs/%d" % i for i in range(8)] + ["kernels/conv1"],
                 sorted(tags["images"]))
    for tag in tags["images"]:
        for image in events.Images(tag):
            size = struct.unpack(">II", image.encoded_image_string[16:24])
            checks.equal(f"size of {tag}", (image.width, image.height), size)
    config = events.Tensors("config")
    checks.equal("steps of the configuration", [0, 10], [e.step for e in config])
    text = config[-1].tensor_proto.string_val[0].decode()
    written = (folder / RUN / "config.ini").read_text(encoding="utf-8")
    checks.equal("configuration", f"```\n{written}```\n", text)


def check_run(convoy, folder, checks):
    make_run(convoy, folder)
    check(convoy, folder, checks)


if __name__ == "__main__":
    sys.exit(check_in_new_folder(__doc__, check_run))
