#!/usr/bin/env python3
"""`convoy predict` beside the same in PyTorch: a folder of JPEGs through a full-size one-column
AlexNet on the CPU, in processor time and in time on the clock.

PyTorch runs torchvision's AlexNet behind torchvision's transforms (Resize 256, CenterCrop 224,
normalise), read by a DataLoader with as many workers as there are cores. Convoy runs a checkpoint
of recipe owt-2014, the same layers and two response normalisations besides. Both are timed as whole
programs on all files and on few of them; the difference is what one more image costs, without
starting and loading weights.

  convoy train --recipe owt-2014 --solver.batch 16 --run.steps 1 --data.train DATASET --run.dir RUN
  tests/bench/predict_pytorch.py CONVOY RUN FOLDER [--few 64] [--rounds 3]

Needs torch and torchvision.
"""
import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time


def files_of(folder):
    return sorted(os.path.join(base, name) for base, _, names in os.walk(folder, followlinks=True)
                  for name in names)


def predict(list_file, batch, workers):
    """What a person would write with PyTorch; prints the five likeliest classes of each file."""
    import torch
    import torchvision
    from PIL import Image
    from torchvision import transforms

    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    files = open(list_file).read().splitlines()
    prepare = transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

    class Files(torch.utils.data.Dataset):
        def __len__(self):
            return len(files)

        def __getitem__(self, i):
            return prepare(Image.open(files[i]).convert("RGB"))

    net = torchvision.models.alexnet().eval()
    loader = torch.utils.data.DataLoader(Files(), batch_size=batch, num_workers=workers)
    done = 0
    with torch.inference_mode():
        for images in loader:
            top = net(images).softmax(1).topk(5)
            for values, classes in zip(top.values.tolist(), top.indices.tolist()):
                print(files[done], *(f"{c}:{v:.4f}" for c, v in zip(classes, values)))
                done += 1


def timed(command):
    """Seconds on the clock and of processor time that a command takes, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("convoy")
    parser.add_argument("run")
    parser.add_argument("folder")
    parser.add_argument("--few", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    files = files_of(given.folder)
    with tempfile.TemporaryDirectory() as folder:
        lists = {}
        for count in (given.few, len(files)):
            lists[count] = os.path.join(folder, str(count))
            open(lists[count], "w").write("\n".join(files[:count]))
        ways = {"convoy": lambda n: [given.convoy, "predict", "--run.dir", given.run, "--batch",
                                     str(given.batch), *files[:n]]}
        for workers in (0, cores):
            ways[f"PyTorch, {workers} workers"] = lambda n, w=workers: [
                sys.executable, __file__, "--predict", lists[n], str(given.batch), str(w)]
        # Each figure is the least over rounds, in which the ways take turns.
        least = {}
        for _ in range(given.rounds):
            for name, command in ways.items():
                for count in lists:
                    wall, cpu = timed(command(count))
                    old = least.get((name, count), (wall, cpu))
                    least[name, count] = min(old[0], wall), min(old[1], cpu)
    few, many = given.few, len(files)
    print(f"{many} images, batch {given.batch}, {cores} cores; least of {given.rounds} rounds")
    print(f"{'':24}{'s in all':>10}{'CPU s':>10}{'ms/image':>10}{'CPU ms/image':>14}")
    for name in ways:
        (wall, cpu), (wall_few, cpu_few) = least[name, many], least[name, few]
        per_image = [1000 * (a - b) / (many - few) for a, b in ((wall, wall_few), (cpu, cpu_few))]
        print(f"{name:24}{wall:10.2f}{cpu:10.2f}{per_image[0]:10.2f}{per_image[1]:14.2f}")


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "--predict":
        predict(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
