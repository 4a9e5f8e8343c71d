"""The command `pqindex`, in a clone `python -m src.measure`: how compressible is each layer of a checkpoint."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path

from ..errors import UserError
from ..pruning.methods.sap import Sap
from .checkpoint import NamedTensor, open_checkpoint
from .formats import FIGURES, as_csv, as_json, as_markdown, as_text, draw
from .table import selected, tabulate

DESCRIPTION = "PQ Index, Gini index and Hoyer's measure of each layer of a checkpoint, and what SAP would prune of it."
EPILOG = """examples:
  %(prog)s model.safetensors
  %(prog)s checkpoint.pt --p 1 --q 2 --exclude '*embed*' --csv > layers.csv
  %(prog)s folder_of_a_hugging_face_model --scope neuron
  %(prog)s torchvision:resnet50 --grid --plot resnet50.png"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 1 with one message where the input is bad."""
    try:
        given = _parser().parse_args(arguments)
        if given.plot is not None and given.plot.suffix not in FIGURES:
            raise UserError(f"--plot {given.plot} is not allowed: the file must end in {', '.join(FIGURES)}")
        method = Sap(p=given.p, q=given.q, eta_r=given.eta_r, gamma=given.gamma, beta=given.beta, scope=given.scope)
        method.check("SAP")
        weights = selected(open_checkpoint(given.source), given.include, given.exclude)
        table = tabulate(weights, method, grid=given.grid, ignore_zeros=given.ignore_zeros, progress=_with_bar)
        print(given.form(table), flush=True)
        if given.plot is not None:
            draw(table, given.plot)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return 141
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "pqindex", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("source", metavar="PATH_OR_NAME", help="safetensors, index of shards, PyTorch file, folder, torchvision:NAME")
    add("--p", type=float, default=0.5, help="norm p of the PQ Index, 0 < p < q (0.5)")
    add("--q", type=float, default=1.0, help="norm q (1)")
    add("--scope", choices=("layer", "neuron", "global"), default="layer", help="groups that SAP prunes (layer)")
    add("--eta-r", type=float, default=0.0, help="SAP's eta_r (0)")
    add("--gamma", type=float, default=1.0, help="SAP's gamma (1)")
    add("--beta", type=float, default=0.9, help="most that SAP prunes of a group (0.9)")
    add("--include", nargs="+", default=[], metavar="PATTERN", help="tensors to measure instead of the usual *weight")
    add("--exclude", nargs="+", default=[], metavar="PATTERN", help="tensors to leave out, as '*embed*'")
    add("--ignore-zeros", action="store_true", help="zeros are pruned weights and do not count")
    add("--grid", action="store_true", help="PQ Index also for p = 0.1..1 and q = 1..2")
    add("--plot", type=Path, metavar="FILE", help="PQ Index per layer, with --grid also the heat map over (p, q)")
    form = parser.add_mutually_exclusive_group()
    for name, made in (("json", as_json), ("csv", as_csv), ("markdown", as_markdown)):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=made, help=f"print {name}")
    parser.set_defaults(form=as_text)
    return parser


def _with_bar(tensors: Sequence[NamedTensor]) -> Iterator[NamedTensor]:
    """The tensors, with a line on a terminal that says how far they are read."""
    sizes = [prod(tensor.shape) * tensor.dtype.itemsize for tensor in tensors]
    total, done, told = sum(sizes), 0, time.monotonic()
    shown = sys.stderr.isatty()
    for tensor, size in zip(tensors, sizes, strict=True):
        yield tensor
        done += size
        if shown and time.monotonic() - told > 0.2:
            told = time.monotonic()
            bar = "#" * (30 * done // total)
            print(f"\r\033[K[{bar:30}] {done / 1e9:.1f} of {total / 1e9:.1f} GB", end="", file=sys.stderr, flush=True)
    if shown:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
