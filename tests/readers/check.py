"""Lets PyTorch, safetensors, onnx and onnxruntime read what `convoy export` writes (README.md)."""

import argparse
import filecmp
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
PACKAGES = ("h5py", "numpy", "onnx", "onnxruntime", "safetensors", "torch", "cv2")
missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
if missing:
    print(f"skipped: {sys.executable} lacks {', '.join(missing)} (tests/readers/requirements.txt)")
    sys.exit(SKIPPED)

import cv2
import h5py
import nets
import numpy as np
import onnx
import onnxruntime
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

TOLERANCE = 1e-4
failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(f"  {'ok' if good else 'FAILED'}: {what} {detail}", flush=True)


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nended with {result.returncode}: {result.stderr}")
    return result.stdout


def relative(a, b):
    return float(np.linalg.norm(a.astype(np.float64) - b) / np.linalg.norm(b.astype(np.float64)))


def module_of(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def validation_set(folder):
    """All images uint8 [n, S, S, 3] and labels of a packed dataset."""
    images, labels = [], []
    for path in sorted(folder.glob("shard-*.h5")):
        with h5py.File(path) as shard:
            images.append(shard["images"][()])
            labels.append(shard["labels"][()])
    return np.concatenate(images), np.concatenate(labels)


def prepared(images, metadata):
    """[n, S, S, 3] pixels as the net's input [n, 3, H, W], as the file's metadata say."""
    how = json.loads(metadata["preprocessing"])
    crop, stored = how["crop"], how["stored_size"]
    begin = (stored - crop) // 2
    cut = slice(begin, begin + crop)
    x = images[:, cut, cut, :].astype(np.float32)
    if how.get("mean") == "mean_image":
        mean = np.array(metadata["mean_image"].split(","), np.float32)
        x = x - mean.reshape(stored, stored, 3)[cut, cut]
    else:
        x = x - np.array(how["mean_rgb"], np.float32)
    x = x / np.array(how["std_rgb"], np.float32)
    if how["channels"] == "BGR":
        x = x[..., ::-1]
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


class Case:
    def __init__(self, args, work, name, options):
        self.convoy, self.logits_tool, self.work = args.convoy, args.logits, work
        self.name, self.options = name, options
        self.val = work / f"val{options.get('size', 32)}"
        self.bgr = options.get("recipe") == "caffe"
        print(f"\n{name}", flush=True)
        train = [self.convoy, "train", "--data.train", work / f"train{options.get('size', 32)}",
                 "--run.dir", work / name, *nets.arguments(options)]
        run(*train)
        self.checkpoint = sorted((work / name / "checkpoints").glob("step-*.h5"))[-1]

    def export(self, file, *more, checkpoint=None):
        path = self.work / file
        begin = time.monotonic()
        run(self.convoy, "export", "--checkpoint", checkpoint or self.checkpoint, "--output", path,
            *more)
        print(f"  exported {file} in {time.monotonic() - begin:.2f} s")
        return path

    def ours(self, x):
        """Convoy's logits for inputs [n, 3, H, W], red first."""
        own = x[:, ::-1] if self.bgr else x
        own.transpose(0, 2, 3, 1).astype(np.float32).tofile(self.work / "x")
        run(self.logits_tool, self.checkpoint, self.work / "x", self.work / "y")
        return np.fromfile(self.work / "y", np.float32).reshape(len(x), -1)

    def torch(self, names, module=None):
        path = self.export(f"{self.name}-{names}.safetensors", "--names", names)
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        net = module or module_of(path.with_suffix(".py")).Net()
        net.load_state_dict(tensors, strict=True)
        net.eval()
        images, labels = validation_set(self.val)
        x = prepared(images, metadata)
        few = x[:8]
        with torch.no_grad():
            logits = net(torch.from_numpy(few)).numpy()
            loss = float(torch.nn.functional.cross_entropy(
                net(torch.from_numpy(x)), torch.from_numpy(labels.astype(np.int64))))
        error = relative(logits, self.ours(few))
        check(f"PyTorch, names {names}: strict load, logits", error < TOLERANCE, f"{error:.1e}")
        told = json.loads(run(self.convoy, "eval", "--checkpoint", self.checkpoint, "--data",
                              self.val, "--json", "--solver.batch", len(labels)))["loss"]
        check("its loss over the validation set is that of convoy eval",
              abs(loss - told) < TOLERANCE * abs(told), f"{loss:.6f} {told:.6f}")
        self.round_trip(path, names)
        self.few = few
        self.foreign(names, module or module_of(path.with_suffix(".py")).Net())
        return few, logits

    def foreign(self, names, net):
        """Weights that PyTorch wrote, of which Convoy knows the net and nothing else."""
        path = self.work / "foreign.safetensors"
        save_file(net.state_dict(), path)
        own = self.checkpoint
        self.checkpoint = self.work / "foreign.h5"
        run(self.convoy, "import", "--input", path, "--output", self.checkpoint, "--names", names,
            "--classes", self.val, "--mean", self.val, *nets.arguments(self.options))
        x = self.few
        with torch.no_grad():
            error = relative(net.eval()(torch.from_numpy(x)).numpy(), self.ours(x))
        check(f"import of PyTorch's weights, names {names}: logits", error < TOLERANCE,
              f"{error:.1e}")
        self.checkpoint = own

    def round_trip(self, path, names):
        again = self.work / "again.h5"
        run(self.convoy, "import", "--input", path, "--output", again)
        second = self.export(f"again{path.suffix}", "--names", names, checkpoint=again)
        check(f"export, import, export of names {names}: the same bytes",
              filecmp.cmp(path, second, shallow=False))

    def onnx(self, x, logits):
        path = self.export(f"{self.name}.onnx")
        second = self.export("second.onnx")
        check("two ONNX exports are the same bytes", filecmp.cmp(path, second, shallow=False))
        onnx.checker.check_model(str(path), full_check=True)
        check("onnx.checker accepts it", True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        for batch in (len(x), 3):
            error = relative(session.run(["logits"], {"input": x[:batch]})[0], self.ours(x[:batch]))
            check(f"onnxruntime, batch {batch}: logits", error < TOLERANCE, f"{error:.1e}")
        path = self.export("probabilities.onnx", "--softmax")
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        expected = torch.softmax(torch.from_numpy(logits), 1).numpy()
        error = relative(session.run(["probabilities"], {"input": x})[0], expected)
        check("onnxruntime: probabilities", error < TOLERANCE, f"{error:.1e}")

    def own(self):
        path = self.export(f"{self.name}-convoy.safetensors", "--names", "convoy")
        tensors = load_file(path)
        with h5py.File(self.checkpoint) as file:
            same = all(np.array_equal(tensors[f"{layer}.{kind}"].numpy(),
                                      file["parameters"][layer][kind][()])
                       for layer in file["parameters"] for kind in ("weight", "bias"))
        check("names convoy: the checkpoint's own values", same)
        self.round_trip(path, "convoy")

    def caffe(self, x):
        path = self.export(f"{self.name}.caffemodel")
        if self.options.get("opencv"):
            net = cv2.dnn.readNetFromCaffe(str(path.with_suffix(".prototxt")), str(path))
            net.setInput(np.ascontiguousarray(x[:, ::-1]))  # blue first
            error = relative(net.forward(), self.ours(x))
            check("OpenCV's reader of Caffe's files: logits", error < TOLERANCE, f"{error:.1e}")
        again = self.work / "again.h5"
        mean = path.with_suffix(".binaryproto")
        run(self.convoy, "import", "--input", path, "--output", again, "--classes", self.val,
            *(["--mean", mean] if mean.exists() else []), *nets.arguments(self.options))
        second = self.export("again.caffemodel", checkpoint=again)
        check("export, import, export of caffemodel: the same bytes",
              filecmp.cmp(path, second, shallow=False))
        losses = [json.loads(run(self.convoy, "eval", "--checkpoint", checkpoint, "--data",
                                 self.val, "--json"))["loss"]
                  for checkpoint in (self.checkpoint, again)]
        check("the imported net's loss is the same",
              abs(losses[0] - losses[1]) < 1e-5 * abs(losses[0]), f"{losses}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--logits", required=True)
    parser.add_argument("--images", help="class folders of JPEGs instead of drawn ones")
    parser.add_argument("--full", action="store_true", help="full-size nets too")
    args = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        source = pathlib.Path(args.images) if args.images else work / "images" / "train"
        if not args.images:
            run(args.convoy, "synth", "--output", work / "images", "--classes", 4,
                "--train-images", 8, "--val-images", 1, "--width", 300, "--height", 260)
        for size in (32, 256) if args.full else (32,):
            for kind in ("train", "val"):
                run(args.convoy, "pack", "--input", source, "--output", work / f"{kind}{size}",
                    "--size", size)
        for name, options in nets.SMALL.items():
            case = Case(args, work, name, options)
            x, logits = case.torch("torch")
            case.onnx(x, logits)
            case.own()
            if options.get("caffe", True):
                case.caffe(x)
        for name, options in nets.FULL.items() if args.full else ():
            case = Case(args, work, name, options)
            x, logits = case.torch("torch")
            case.onnx(x, logits)
            if options.get("caffe", True):
                case.caffe(x)
            for names, module in nets.MODULES.items():
                if names in options.get("names", ()):
                    case.torch(names, module(int(options["model.classes"])))
    print(f"\n{failures} failed")
    sys.exit(1 if failures else 0)


main()
