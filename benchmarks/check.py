"""Whether this tree is as fast as the committed table says: `python -m benchmarks.check [--models linear,mlp]`.

Measures what `benchmarks/engine_cpu.json` has of each model, and compares ratios alone, which hold on machines like the
one they were measured on: speed against the conventional loop and the compiled one, and the share of the matmul peak.
Warns of what is more than 15 % slower; the status is 0 all the same, as another machine is not a defect.
"""

import argparse
import json
from pathlib import Path

import torch

from benchmarks.engine import Row, ratios, rows_of
from benchmarks.machine import describe

COMMITTED = Path(__file__).with_name("engine_cpu.json")
TOLERANCE = 0.15
OURS = ("solo", "stacked")


def slower(now: list[Row], then: list[Row]) -> list[str]:
    """A line for each ratio of an engine of ours that has fallen by more than TOLERANCE."""
    lines = []
    for row in now:
        before = next((r for r in then if (r.model, r.engine, r.members) == (row.model, row.engine, row.members)), None)
        if row.engine not in OURS or before is None:
            continue
        found, expected = ratios(row, now), ratios(before, then)
        for name in ("conventional", "compiled", "peak"):
            if name in found and name in expected and found[name] < (1 - TOLERANCE) * expected[name]:
                what = "of the peak" if name == "peak" else f"x {name}"
                lines.append(
                    f"{row.model} {row.engine} K={row.members}: {found[name]:.3g} {what}, was {expected[name]:.3g}"
                )
    return lines


def main() -> None:
    """Measure, compare, say what is slower."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="linear,mlp")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--images", type=int)
    parser.add_argument("--root", type=Path, default=Path("data"))
    parser.add_argument("--against", type=Path, default=COMMITTED, metavar="FILE")
    args = parser.parse_args()
    committed = json.loads(args.against.read_text())
    then = [Row(**row) for row in committed["rows"]]
    args.quick = args.means = False
    machine = describe(torch.device("cpu"))
    if machine["device"] != committed["machine"]["device"] or machine["threads"] != committed["machine"]["threads"]:
        print(f"another machine than the table's: {machine['device']}, {machine['threads']} threads")
    now: list[Row] = []
    for model in args.models.split(","):
        args.members = tuple(row.members for row in then if row.model == model and row.engine == "stacked")
        now += rows_of(model, args, torch.device("cpu"))
    lines = slower(now, then)
    print("\n".join(f"warning: {line}" for line in lines) or f"no ratio is more than {TOLERANCE:.0%} below the table's")


if __name__ == "__main__":
    main()
