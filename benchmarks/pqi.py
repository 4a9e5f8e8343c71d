"""All measures in one pass against one `vector_norm` per (p, q, group): `python -m benchmarks.pqi`.

Both sides measure the same random weights and masks on the same threads, in alternation, and the table gives
medians. The conventional side computes in float32, for every neuron, layer and the network, two norms and a
count per (p, q), as the authors' code does; ours is `src.sparsity.measure` in float64. The floor is one sum
over the weights. The target is 1/30 of the conventional time, Gini index excluded, on 2 CPU cores.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from src.sparsity import P_GRID, Q_GRID, grid_index, measure

Network = tuple[dict[str, Tensor], dict[str, Tensor]]


def resnet18_shapes() -> list[tuple[int, ...]]:
    """Prunable tensors of the CIFAR-10 ResNet18: 3x3 stem, 4 stages of 2 blocks, 1x1 shortcuts from stage 2."""
    shapes: list[tuple[int, ...]] = [(64, 3, 3, 3)]
    fan_in = 64
    for width in (64, 128, 256, 512):
        for _ in range(2):
            shapes += [(width, fan_in, 3, 3), (width, width, 3, 3)]
            if fan_in != width:
                shapes.append((width, fan_in, 1, 1))
            fan_in = width
    return [*shapes, (10, 512)]


SHAPES: dict[str, list[tuple[int, ...]]] = {
    "mlp": [(128, 784), (256, 128), (10, 256)],
    "cnn": [(64, 3, 3, 3), (128, 64, 3, 3), (256, 128, 3, 3), (512, 256, 3, 3), (10, 512)],
    "resnet18": resnet18_shapes(),
}


def random_network(model: str, device: str) -> Network:
    """Gaussian weights with 80 % alive, the masked ones zero."""
    generator = torch.Generator().manual_seed(0)
    weights, masks = {}, {}
    for index, shape in enumerate(SHAPES[model]):
        mask = torch.rand(shape, generator=generator) < 0.8
        weights[f"{index}"] = (0.05 * torch.randn(shape, generator=generator) * mask).to(device)
        masks[f"{index}"] = mask.to(device)
    return weights, masks


def groups_of(network: Network) -> list[tuple[Tensor, Tensor]]:
    """(rows, masks) of every layer's neurons, every layer, and the network."""
    weights, masks = network
    neurons = [(w.flatten(1), masks[name].flatten(1)) for name, w in weights.items()]
    layers = [(w.reshape(1, -1), m.reshape(1, -1)) for w, m in neurons]
    return [*neurons, *layers, (torch.cat([w for w, _ in layers], 1), torch.cat([m for _, m in layers], 1))]


def conventional_pqi(network: Network) -> Tensor:
    """Two float32 norms and a count per (p, q) and group; returns the network's [10, 11] grid."""
    for w, mask in groups_of(network):
        grid = torch.stack([_norm_ratio(w, mask, p, q) for p in P_GRID for q in Q_GRID])
    return grid.reshape(10, 11)


def _norm_ratio(w: Tensor, mask: Tensor, p: float, q: float) -> Tensor:
    d = mask.sum(1)
    p_mean = (torch.linalg.vector_norm(w, p, 1) ** p / d) ** (1 / p)
    q_mean = (torch.linalg.vector_norm(w, q, 1) ** q / d) ** (1 / q)
    ratio: Tensor = p_mean / q_mean
    return 1 - ratio


def conventional_gini(network: Network) -> Tensor:
    """One float32 sort per group; returns the network's index."""
    for w, mask in groups_of(network):
        x, d = torch.where(mask, w.abs() + 1e-7, 0).sort(1).values, mask.sum(1, keepdim=True)
        rank = torch.arange(1, x.shape[1] + 1, device=x.device) - (x.shape[1] - d)
        gini = ((2 * rank - d - 1) * x).sum(1) / (d[:, 0] * x.sum(1))
    return gini


def our_pqi(network: Network) -> Tensor:
    """The grids of every neuron, layer and the network; returns the network's."""
    return measure(*network, gini=False).pqi_global


def our_pqi_and_gini(network: Network) -> Tensor:
    """The same with all Gini indices; returns the network's."""
    return measure(*network).gini_global


def read_once(network: Network) -> Tensor:
    """The floor: every weight read once."""
    return torch.stack([w.sum() for w in network[0].values()])


def timed(work: Callable[[Network], Tensor], network: Network) -> tuple[float, Tensor]:
    """Wall-clock seconds of one call and its result on the CPU, which waits for a GPU to finish."""
    next(iter(network[0].values())).sum().item()
    start = time.perf_counter()
    result = work(network).cpu()
    return time.perf_counter() - start, result


def medians(network: Network, repeats: int, conventional_repeats: int) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Median seconds and the result of each piece of work, in alternation after a warm-up of the short ones."""
    conventional = {"conventional_pqi": conventional_pqi, "conventional_gini": conventional_gini}
    ours = {"our_pqi": our_pqi, "our_pqi_and_gini": our_pqi_and_gini, "read_once": read_once}
    for work in ours.values():
        work(network)
    times: dict[str, list[float]] = {name: [] for name in conventional | ours}
    results: dict[str, Tensor] = {}
    for repeat in range(max(repeats, conventional_repeats)):
        due = (conventional if repeat < conventional_repeats else {}) | (ours if repeat < repeats else {})
        for name, work in due.items():
            time_s, results[name] = timed(work, network)
            times[name].append(time_s)
    return {name: statistics.median(values) for name, values in times.items()}, results


def table(time_s: dict[str, float]) -> str:
    """The medians as a Markdown table with their ratios."""
    read = time_s["read_once"]
    both = time_s["conventional_pqi"] + time_s["conventional_gini"]
    rows = [
        ("PQ Index grid", time_s["conventional_pqi"], time_s["our_pqi"]),
        ("PQ Index grid and Gini index", both, time_s["our_pqi_and_gini"]),
    ]
    lines = ["| measured | conventional, s | ours, s | ratio | ours / one read |", "|---|---|---|---|---|"]
    for name, theirs, ours in rows:
        ratio, reads = theirs / ours, ours / read
        lines.append(f"| {name} | {theirs:.3f} | {ours:.4f} | {ratio:.0f} | {reads:.0f} |")
    return "\n".join([*lines, f"| one read of the weights | | {read:.5f} | | 1 |"])


def main() -> None:
    """Measure, print the table, write the JSON file where asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=SHAPES, default="resnet18")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--repeats", type=int, default=5, help="of ours and of the read")
    parser.add_argument("--conventional-repeats", type=int, default=2, help="a minute each with resnet18")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    if args.repeats < 1 or args.conventional_repeats < 1:
        parser.error("choose at least 1 repeat of each")
    network = random_network(args.model, args.device)
    time_s, results = medians(network, args.repeats, args.conventional_repeats)
    # float32 sums of 10^7 powers of 0.1 overflow, so that row has nothing to agree with
    row, _ = grid_index(0.2, 1.0)
    difference = (results["conventional_pqi"] - results["our_pqi"])[row:].abs().max().item()
    record = {
        "model": args.model,
        "weights": sum(w.numel() for w in network[0].values()),
        "device": torch.cuda.get_device_name() if args.device.startswith("cuda") else platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "repeats": args.repeats,
        "conventional_repeats": args.conventional_repeats,
        "time_s": time_s,
        "largest_difference": difference,
    }
    print(f"{args.model}, {record['weights']:,} weights, {args.device}, {record['threads']} threads")
    print(table(time_s))
    print(f"largest difference of the network's PQ Index, p >= 0.2: {difference:.1e} (the norms are float32)")
    if args.json:
        part = args.json.with_name(args.json.name + ".part")
        part.write_text(json.dumps(record, indent=2) + "\n")
        os.replace(part, args.json)


if __name__ == "__main__":
    main()
