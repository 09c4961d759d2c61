"""A small run of two ranks, for checks of what runs write."""

import argparse
import os
import pathlib
import subprocess
import tempfile

NET = """
[model]
input = 28
kernels = 16,16,16,16,16
neurons = 32,32
conv1-kernel = 5
conv1-stride = 1
conv1-pad = 2
weight-std = 0.163,0.1,0.118,0.167,0.167,0.118,0.25,0.25
[data]
unit-scale = true
[solver]
batch = 8
lr = 0.002
schedule = constant
[parallel]
strategy = model
[run]
log-every = 2
histogram-every = 5
checkpoint-every = 5
keep = 0
[device]
threads = 1
"""
RUN = "run"


class Checks:
    """Counts what holds, and says what does not."""

    def __init__(self):
        self.done = 0
        self.failed = 0

    def equal(self, what, expected, got):
        self.done += 1
        if expected != got:
            self.failed += 1
            print(f"FAILED: {what}: expected {expected}, got {got}")

    def finish(self):
        """What the program ends with."""
        print(f"{self.done} checks, {self.failed} failed")
        return 1 if self.failed or not self.done else 0


def quietly(convoy, folder, *command):
    subprocess.run([convoy, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_data(convoy, folder):
    """train.convoy and val.convoy, and net.ini that fits them."""
    quietly(convoy, folder, "synth", "--output", "images", "--classes", "4", "--train-images", "12",
            "--val-images", "5", "--width", "40", "--height", "36")
    quietly(convoy, folder, "pack", "--input", "images/train", "--output", "train.convoy",
            "--size", "32")
    quietly(convoy, folder, "pack", "--input", "images/val", "--output", "val.convoy",
            "--size", "32", "--classes", "train.convoy")
    (folder / "net.ini").write_text(NET, encoding="utf-8")


def train(convoy, folder, steps, *more):
    """Two ranks train the run of the folder to its step `steps`."""
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    options = ["--config", "net.ini", "--run.steps", str(steps), *more]
    if not (folder / RUN).exists():
        options += ["--data.train", "train.convoy", "--data.val", "val.convoy"]
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "2", convoy, "train"]
    subprocess.run(command + options + ["--run.dir", RUN], cwd=folder, env=environment, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check_in_new_folder(purpose, check):
    """check(convoy, folder, checks), with the program that the command line names; its exit code."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--convoy", required=True, type=pathlib.Path)
    convoy = str(parser.parse_args().convoy.resolve())
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        check(convoy, pathlib.Path(name), checks)
    return checks.finish()
