#!/usr/bin/env python3
"""Compares Convoy's speed with PyTorch's on one machine, all variants in turn, round after round.

Machines are noisy and drift, so nothing is timed alone: every round runs every variant once, every
second round backwards, and a ratio is formed inside a round before the median is taken.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile

TRAINER = os.path.relpath(pathlib.Path(__file__).with_name("pytorch_train.py"))

# Keeps freed tensors instead of handing their pages back after every step (README.md).
MALLOC = ("glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184:"
          "glibc.malloc.top_pad=268435456")

PYTORCH_PARTS = {
    "ddp": "one single-thread process a core, gradients over gloo",
    "threads": "one process with a thread a core",
    "malloc": "malloc tuned to keep freed pages",
    "nhwc": "channels_last",
    "compile": "torch.compile",
    "window": "response normalisation as a sum of slices",
    "pin": "each process on its own cores",
}
DEFAULT_VARIANTS = ("threads", "threads+malloc", "ddp+malloc", "ddp+malloc+nhwc",
                    "ddp+malloc+window", "ddp+malloc+compile", "ddp+malloc+compile+window",
                    "ddp+malloc+nhwc+compile+window")


class RunFailed(Exception):
    """A run that gave no figure, with the reason."""


@dataclasses.dataclass
class Variant:
    name: str
    kind: str  # "convoy" or "pytorch"
    command: list
    environment: dict
    metrics_after: int = -1  # >= 0: a training run, rated by metrics.jsonl past this step


def stop(process):
    """Ends a process and its group, asking first: mpirun's ranks have groups of their own."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def execute(command, environment, timeout_s):
    """The command's standard output; a command that takes too long is stopped."""
    process = subprocess.Popen(command, env=environment, text=True, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate(timeout=timeout_s)
    except BaseException as reason:  # an interrupt from the keyboard must not leave ranks behind
        stop(process)
        if isinstance(reason, subprocess.TimeoutExpired):
            raise RunFailed(f"no end after {timeout_s:g} s") from None
        raise
    if process.returncode:
        last = errors.strip().splitlines()[-15:] or ["nothing on standard error"]
        raise RunFailed("\n    ".join([f"exit code {process.returncode}", *last]))
    return output


def last_result(output):
    """The last JSON object with a rate in a program's output."""
    decoder = json.JSONDecoder()
    found = None
    position = output.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(output, position)
        except ValueError:
            end = position + 1
        else:
            if "images_per_second" in value:
                found = value
        position = output.find("{", end)
    if found is None:
        raise RunFailed("no JSON object with images_per_second in the output")
    return found


def training_result(run_dir, after_step):
    """The median over the steps past `after_step` that a run logged."""
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    rates = [line["images_per_second"] for line in lines
             if line["kind"] == "train" and line["step"] > after_step]
    if not rates:
        raise RunFailed(f"metrics.jsonl has no step after {after_step}")
    return {"images_per_second": statistics.median(rates), "images_per_second_min": min(rates),
            "images_per_second_max": max(rates)}


def run(variant, timeout_s):
    try:
        if variant.metrics_after < 0:
            return last_result(execute(variant.command, variant.environment, timeout_s))
        with tempfile.TemporaryDirectory() as folder:
            run_dir = pathlib.Path(folder, "run")
            execute([*variant.command, "--run.dir", str(run_dir)], variant.environment, timeout_s)
            return training_result(run_dir, variant.metrics_after)
    except (RunFailed, OSError) as reason:
        return {"error": str(reason)}


def environment_with(**changes):
    """This process's environment without settings that would leak into a variant."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("GLIBC_TUNABLES", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**environment, **changes}


def convoy_variants(arguments):
    allow_root = {}
    if os.geteuid() == 0:
        allow_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    environment = environment_with(**allow_root)
    for strategy in arguments.strategies:
        launcher = [] if strategy == "single" else shlex.split(arguments.launcher)
        start = [*launcher, *shlex.split(arguments.convoy)]
        choice = ["--parallel.strategy", strategy, "--solver.batch", str(arguments.batch)]
        yield Variant(
            f"convoy bench {strategy}", "convoy",
            [*start, "bench", *choice, "--json", "-", *shlex.split(arguments.convoy_bench_args)],
            environment)
        if arguments.convoy_train_args is not None:
            steps = arguments.warmup + arguments.steps
            yield Variant(
                f"convoy train {strategy}", "convoy",
                [*start, "train", *choice, "--run.steps", str(steps), "--run.log-every", "1",
                 *shlex.split(arguments.convoy_train_args)],
                environment, metrics_after=arguments.warmup)


def probe(python):
    """The PyTorch version of an interpreter, and whether it has torch.compile."""
    code = ("import json, torch; "
            "print(json.dumps([str(torch.__version__), hasattr(torch, 'compile')]))")
    try:
        return json.loads(execute([python, "-c", code], environment_with(), 300))
    except (RunFailed, OSError) as reason:
        raise SystemExit(f"{python} cannot import torch: {reason}") from None


def pytorch_variants(arguments):
    for python in arguments.python:
        version, has_compile = probe(python)
        for name in arguments.variants:
            parts = name.split("+")
            if "compile" in parts and not has_compile:
                print(f"PyTorch {version} has no torch.compile: {name} is left out.",
                      file=sys.stderr)
                continue
            processes, threads = (arguments.cores, 1) if "ddp" in parts else (1, arguments.cores)
            command = [python, TRAINER, "--processes", str(processes), "--threads",
                       str(threads), "--batch", str(arguments.batch), "--warmup",
                       str(arguments.warmup), "--steps", str(arguments.steps)]
            command += ["--channels-last"] * ("nhwc" in parts)
            command += ["--compile"] * ("compile" in parts)
            command += ["--lrn", "window"] * ("window" in parts)
            command += ["--pin"] * ("pin" in parts)
            changes = {"OMP_NUM_THREADS": str(threads)}
            if "malloc" in parts:
                changes["GLIBC_TUNABLES"] = MALLOC
            yield Variant(f"pytorch {version} {name}", "pytorch", command,
                          environment_with(**changes))


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "rounds": len(values)}


def rates_of(variant, rounds):
    """Round number -> images per second, for the rounds in which the variant gave a figure."""
    return {number: results[variant.name]["images_per_second"]
            for number, results in enumerate(rounds)
            if "error" not in results.get(variant.name, {"error": ""})}


def summarise(variants, rounds):
    rates = {variant.name: rates_of(variant, rounds) for variant in variants}
    ratios = {}
    for convoy in (v.name for v in variants if v.kind == "convoy"):
        for other in (v.name for v in variants if v.kind == "pytorch"):
            both = [rates[convoy][n] / rates[other][n] for n in rates[convoy] if n in rates[other]]
            if both:
                ratios.setdefault(convoy, {})[other] = spread(both)
    return {
        "images_per_second": {name: spread(list(values.values()))
                              for name, values in rates.items() if values},
        "ratios": ratios,  # Convoy's rate over the other's
    }


def print_tables(variants, summary, repeat):
    width = max(len(variant.name) for variant in variants) + 2

    def print_table(title, figures_of):
        print(f"\n{title:<{width}} {'median':>8} {'min':>8} {'max':>8}  rounds")
        for name, figures in figures_of.items():
            print(f"{name:<{width}} {figures['median']:8.2f} {figures['min']:8.2f} "
                  f"{figures['max']:8.2f}  {figures['rounds']}/{repeat}")

    if summary["images_per_second"]:
        print_table("images/s", summary["images_per_second"])
    for convoy, others in summary["ratios"].items():
        print_table(f"{convoy} /", others)
    failed = [v.name for v in variants if v.name not in summary["images_per_second"]]
    if failed:
        print("\nWithout a figure in any round: " + ", ".join(failed))


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def names(allowed):
    """A comma-separated list whose items are made of `allowed` words joined by plus signs."""
    def parse(text):
        items = [item.strip() for item in text.split(",") if item.strip()]
        for item in items:
            for word in item.split("+"):
                if word not in allowed:
                    raise argparse.ArgumentTypeError(
                        f"'{word}' is none of {', '.join(allowed)}")
        return items
    return parse


def pytorch_names(text):
    items = names(PYTORCH_PARTS)(text)
    for item in items:
        if len({"ddp", "threads"} & set(item.split("+"))) != 1:
            raise argparse.ArgumentTypeError(f"'{item}' needs one of ddp and threads")
    return items


def parse_arguments(cores):
    parts = "; ".join(f"{name}: {meaning}" for name, meaning in PYTORCH_PARTS.items())
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--convoy", metavar="COMMAND",
                        help="the convoy executable; without it only PyTorch is timed")
    parser.add_argument("--launcher", default=f"mpirun -n {cores} --bind-to core",
                        metavar="COMMAND",
                        help="starts Convoy's ranks, for all strategies but single "
                             "(default: %(default)s)")
    parser.add_argument("--strategies", default=["model", "data"], metavar="LIST",
                        type=names(("single", "model", "data", "hybrid", "owt")),
                        help="Convoy's strategies, by commas (default: model,data)")
    parser.add_argument("--convoy-bench-args", default="", metavar="ARGUMENTS",
                        help="more arguments for convoy bench, in one string")
    parser.add_argument("--convoy-train-args", metavar="ARGUMENTS",
                        help="also time `convoy train` with these arguments (a dataset at least), "
                             "in one string; warm-up and measured steps are set here")
    parser.add_argument("--python", action="append", default=[], metavar="PATH",
                        help="an interpreter with PyTorch; may be given several times")
    parser.add_argument("--variants", default=list(DEFAULT_VARIANTS), type=pytorch_names,
                        metavar="LIST",
                        help=f"PyTorch's variants, by commas, each joined by plus signs from: "
                             f"{parts} (default: {','.join(DEFAULT_VARIANTS)})")
    parser.add_argument("--cores", type=int, default=cores,
                        help="cores that PyTorch's variants use (default: %(default)d)")
    parser.add_argument("--batch", type=int, default=128,
                        help="images a step, over all processes (default: %(default)d)")
    parser.add_argument("--warmup", type=int, default=2,
                        help="steps before the measured ones of a PyTorch or training run; "
                             "convoy bench has its own (default: %(default)d)")
    parser.add_argument("--steps", type=int, default=3,
                        help="measured steps of such a run (default: %(default)d)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (default: %(default)d)")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS",
                        help="limit of one run (default: %(default)g)")
    parser.add_argument("--output", type=pathlib.Path, metavar="FILE",
                        help="write everything measured as JSON")
    arguments = parser.parse_args()
    if not arguments.convoy and not arguments.python:
        parser.error("give --convoy, --python or both")
    return arguments


def main():
    cores = len(os.sched_getaffinity(0))
    arguments = parse_arguments(cores)
    variants = list(convoy_variants(arguments)) if arguments.convoy else []
    variants += pytorch_variants(arguments)

    started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    rounds = []
    for number in range(arguments.repeat):
        results = {}
        rounds.append(results)
        for variant in variants if number % 2 == 0 else reversed(variants):
            load = os.getloadavg()[0]
            results[variant.name] = {**run(variant, arguments.timeout), "load_before": load}
            found = results[variant.name]
            print(f"round {number + 1}/{arguments.repeat}  {variant.name}: "
                  + (found.get("error") or f"{found['images_per_second']:.2f} images/s"),
                  file=sys.stderr, flush=True)

    summary = summarise(variants, rounds)
    print_tables(variants, summary, arguments.repeat)
    if arguments.output:
        arguments.output.write_text(json.dumps({
            "started": started, "processor": processor(), "cores": cores,
            "commands": {variant.name: shlex.join(variant.command) for variant in variants},
            "summary": summary, "rounds": rounds,
        }, indent=1) + "\n")
    return 1 if any("error" in result for results in rounds for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
