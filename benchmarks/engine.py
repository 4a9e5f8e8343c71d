"""Engines against the conventional loop: `python -m benchmarks.engine [--models linear,mlp] [--quick] [--json FILE]`.

Every engine trains one epoch, test pass included, at batch 250 in float32 under full masks; all take turns, and the
table gives medians and half the distance of the quartiles. linear and mlp train on Fashion-MNIST, other models on
CIFAR-10 (60,000 and 50,000 images, or as many as `--images` says); where the data set cannot be had, on synthetic
images of the same shape, and the table says so. Preparing a training (copying states into the engine) is part of the
time. Floating-point operations are those of matrix products and convolutions, counted by PyTorch; the peak is that of a
large matrix product of the engine's precision, on the same threads, by MKL or oneDNN, whichever is faster.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.conventional import Compiled, Conventional
from benchmarks.machine import PeakMemory, describe, matmul_peak, median, synchronise
from src.data.dataset import Dataset
from src.data.published import Cifar10, FashionMnist
from src.errors import UserError
from src.messages import TrainRequest
from src.models.model import build_model, prunable_names
from src.models.shipped import MODELS
from src.training.backend import Backend, float32_products
from src.training.loop import SoloEngine
from src.training.spec import Precision, TrainingSpec
from src.training.stacked import StackedEngine, stacks
from src.training.state import Member

BATCH_SIZE = 250
MEMBERS = (1, 4, 16, 64)
TEST_IMAGES = 10_000
QUICK_IMAGES = 5_000
MEANS: dict[str, tuple[Precision, Backend]] = {
    "graph": ("fp32", Backend(compile="graph")),
    "graph, TF32": ("tf32", Backend(compile="graph")),
    "graph, TF32, channels last": ("tf32", Backend(compile="graph", channels_last=True)),
    "graph, bf16, channels last": ("bf16", Backend(compile="graph", channels_last=True)),
    "compiled engine, TF32, channels last": ("tf32", Backend(compile="compile", channels_last=True)),
    "compiled engine, bf16, channels last": ("bf16", Backend(compile="compile", channels_last=True)),
}
"""Further solo engines that `--means` measures: precision and backend."""


@dataclass(frozen=True)
class Row:
    """One engine's result; `members` networks were trained for an epoch in `time_s`, the median of `times_s`."""

    model: str
    dataset: str
    synthetic: bool
    train_images: int
    test_images: int
    engine: str
    members: int
    times_s: list[float]
    time_s: float
    flop: float
    peak_flop_per_s: float
    peak_memory_bytes: int | None


class Bench:
    """All engines of one model on one data set."""

    def __init__(
        self, model: str, dataset: Dataset, device: torch.device, members: tuple[int, ...], means: bool = False
    ) -> None:
        spec = TrainingSpec(seed=0, epochs=1, batch_size=BATCH_SIZE)
        networks = [build_model(MODELS[model], dataset.image_shape, dataset.classes, 0).to(device) for _ in range(3)]
        initial = {name: tensor.clone() for name, tensor in networks[0].state_dict().items()}
        masks = {name: torch.ones_like(initial[name], dtype=torch.bool) for name in prunable_names(networks[0])}
        self._member = Member(spec, TrainRequest(0, masks, initial))
        conventional = Conventional(spec, dataset, networks[0], device)
        compiled = Compiled(spec, dataset, networks[2], device)
        solo = SoloEngine(spec, dataset, networks[1], device)
        stacked = StackedEngine(solo, max(members, default=1))
        self.engines: dict[tuple[str, int], Callable[[], object]] = {
            ("conventional", 1): partial(_in_float32, conventional, masks),
            ("compiled", 1): partial(_in_float32, compiled, masks),
            ("solo", 1): lambda: solo.train([self._member]),
        }
        if device.type == "cpu" and shutil.which("c++") is None:
            del self.engines["compiled", 1]
        for count in members if stacks(solo) else ():
            self.engines["stacked", count] = partial(stacked.train, [self._member] * count)
        for name, (precision, backend) in MEANS.items() if means else ():
            network = build_model(MODELS[model], dataset.image_shape, dataset.classes, 0)
            engine = SoloEngine(replace(spec, precision=precision), dataset, network, device, backend)
            self.engines[name, 1] = partial(engine.train, [self._member])
        self.flop = epoch_flop(model, dataset)
        self._device = device

    def measure(self, repeats: int) -> dict[tuple[str, int], tuple[list[float], int | None]]:
        """Seconds of every engine's turns, and the largest peak memory."""
        times: dict[tuple[str, int], list[float]] = {key: [] for key in self.engines}
        memory: dict[tuple[str, int], int | None] = {}
        for _ in range(repeats):
            for key, work in list(self.engines.items()):
                peak = PeakMemory(self._device)
                synchronise(self._device)
                start = time.perf_counter()
                try:
                    work()
                    synchronise(self._device)
                except RuntimeError as error:  # torch.compile's own among them
                    if key[0] not in MEANS:  # the yardsticks and the engines that tables are about
                        raise
                    print(f"{key[0]} failed: {type(error).__name__}: {error}", file=sys.stderr)
                    del self.engines[key], times[key]
                    memory.pop(key, None)
                    continue
                times[key].append(time.perf_counter() - start)
                used = peak.read()
                memory[key] = None if used is None else max(used, memory.get(key) or 0)
        return {key: (times[key], memory[key]) for key in times}


def _in_float32(yardstick: Conventional | Compiled, masks: dict[str, torch.Tensor]) -> None:
    """An epoch without TF32, which PyTorch's default has convolutions on a GPU compute in."""
    with float32_products("fp32"):
        yardstick.epoch(masks)


def epoch_flop(model: str, dataset: Dataset) -> float:
    """Floating-point operations of one network's epoch: training and test pass."""
    network = build_model(MODELS[model], dataset.image_shape, dataset.classes, 0)
    x, y = torch.zeros(2, *dataset.image_shape), torch.zeros(2, dtype=torch.int64)
    with FlopCounterMode(display=False) as step:
        cross_entropy(network(x), y).backward()
    with FlopCounterMode(display=False) as test, torch.no_grad():
        network(x)
    train_images, test_images = len(dataset.train_labels), len(dataset.test_labels)
    return float(step.get_total_flops() * train_images + test.get_total_flops() * test_images) / 2


def benchmark_data(model: str, root: Path, images: int | None) -> tuple[Dataset, bool]:
    """The model's data set, a test image for every six of training, and whether it is synthetic."""
    grey = model in ("linear", "mlp")
    kind, shape, available = (FashionMnist, (1, 28, 28), 60_000) if grey else (Cifar10, (3, 32, 32), 50_000)
    train = min(images or available, available)
    test = TEST_IMAGES if train == available else min(max(train // 6, 1), TEST_IMAGES)
    try:
        return kind(root=str(root), train_size=train, test_size=test).load(download=False), False
    except UserError:
        generator = np.random.default_rng(0)
        pixels = torch.from_numpy(generator.integers(0, 256, (train + test, *shape), dtype=np.uint8))
        labels = torch.from_numpy(generator.integers(0, 10, train + test))
        channels = (0.5,) * shape[0]
        parts = pixels[:train], labels[:train], pixels[train:], labels[train:]
        return Dataset(*parts, 10, kind.kind(), channels, channels, flip=not grey, crop=not grey), True


def rows_of(model: str, args: argparse.Namespace, device: torch.device) -> list[Row]:
    """Measure all engines of a model."""
    dataset, synthetic = benchmark_data(model, args.root, QUICK_IMAGES if args.quick else args.images)
    bench = Bench(model, dataset, device, args.members, args.means)
    bench.measure(1)  # threads, kernels and caches warm up
    precisions = {engine: MEANS[engine][0] if engine in MEANS else "fp32" for engine, _ in bench.engines}
    before = {precision: matmul_peak(device, precision) for precision in sorted(set(precisions.values()))}
    results = bench.measure(args.repeats)
    peaks = {precision: max(peak, matmul_peak(device, precision)) for precision, peak in before.items()}
    sizes = len(dataset.train_labels), len(dataset.test_labels)
    return [
        Row(model, dataset.name, synthetic, *sizes, engine, members, times, median(times), bench.flop,
            peaks[precisions[engine]], memory)
        for (engine, members), (times, memory) in results.items()
    ]  # fmt: skip


def ratios(row: Row, rows: list[Row]) -> dict[str, float]:
    """Speed of `row` against single networks on the engines of its model, and as a share of the `peak`."""
    each = row.time_s / row.members
    against = {r.engine: r.time_s / each for r in rows if r.model == row.model and r.engine != "stacked"}
    return against | {"peak": row.flop / each / row.peak_flop_per_s}


def spread(times: list[float]) -> float:
    """Half of what lies between the quartiles, as a share of the median."""
    low, _, high = np.percentile(times, (25, 50, 75))
    return float(high - low) / 2 / median(times)


def table(rows: list[Row]) -> str:
    """The rows of one model as a Markdown table."""
    first = rows[0]
    peaks = ", ".join(f"{peak / 1e9:.0f}" for peak in sorted({row.peak_flop_per_s for row in rows}))
    what = "synthetic images of the shape of " if first.synthetic else ""
    lines = [
        f"**{first.model}**, {what}{first.dataset}, {first.train_images:,} training and {first.test_images:,} test "
        f"images, {first.flop / 1e9:.1f} GFLOP an epoch, measured matmul peak {peaks} GFLOP/s, "
        f"medians of {len(first.times_s)}",
        "",
        "| engine | K | s per member-epoch | spread | training samples/s | GFLOP/s | of the peak | "
        "peak memory, MiB | × conventional | × compiled | × solo |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        each, found = row.time_s / row.members, ratios(row, rows)
        memory = "" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 2**20:.0f}"
        share = f"{100 * found['peak']:.1f} %" if found["peak"] <= 1 else ""
        names = ("conventional", "compiled", "solo")
        against = " | ".join(f"{found[name]:.2f}" if name in found else "" for name in names)
        lines.append(
            f"| {row.engine} | {row.members} | {each:.4f} | {100 * spread(row.times_s):.0f} % | "
            f"{row.train_images / each:,.0f} | {row.flop / each / 1e9:.1f} | {share} | {memory} | {against} |"
        )
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="linear,mlp", help=f"some of {','.join(MODELS)}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_IMAGES:,} images, 3 repeats, K up to 16")
    parser.add_argument("--images", type=int, help="training images; all by default")
    parser.add_argument("--members", default=",".join(map(str, MEMBERS)), help="sizes of stacks; empty: none")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="CPU threads; all cores by default")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--root", type=Path, default=Path("data"), help="root of the data sets")
    parser.add_argument("--means", action="store_true", help="CUDA graphs, torch.compile, TF32 and bf16 as well")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    args.models = args.models.split(",")
    if unknown := [model for model in args.models if model not in MODELS]:
        parser.error(f"unknown model {unknown[0]}: choose some of {','.join(MODELS)}")
    try:
        args.members = tuple(int(count) for count in args.members.split(",") if count)
    except ValueError:
        parser.error(f"--members {args.members}: give sizes of 1 or more, as in 1,4,16")
    numbers = (args.repeats, *args.members, args.threads or 1, args.images or 1)
    if min(numbers) < 1:
        parser.error("repeats, members, threads and images must be 1 or more")
    if args.quick:
        args.repeats, args.members = 3, tuple(count for count in args.members if count <= 16)
    return args


def main() -> None:
    """Measure, print the tables, write the JSON file where asked for."""
    args = arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    machine = describe(device)
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    rows: list[Row] = []
    for model in args.models:
        rows += rows_of(model, args, device)
        print(f"\n{table([row for row in rows if row.model == model])}", flush=True)
    if args.json:
        part = args.json.with_name(args.json.name + ".part")
        part.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
        os.replace(part, args.json)


if __name__ == "__main__":
    main()
