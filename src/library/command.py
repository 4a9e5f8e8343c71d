"""The command `pqindex`, in a clone `python -m src.measure`: how compressible is each layer of a checkpoint."""

import argparse
import csv
import io
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..pruning.methods.sap import Sap
from ..sparsity.measures import P_GRID, Q_GRID
from .checkpoint import NamedTensor, open_checkpoint
from .table import Line, Table, passed_over, selected, tabulate

DESCRIPTION = "PQ Index, Gini index and Hoyer's measure of each layer of a checkpoint, and what SAP would prune of it."
EPILOG = """examples:
  %(prog)s model.safetensors
  %(prog)s checkpoint.pt --p 1 --q 2 --exclude '*embed*' --csv > layers.csv
  %(prog)s folder_of_a_hugging_face_model --scope neuron
  %(prog)s torchvision:resnet50 --grid --plot resnet50.png"""

COLUMNS = ("name", "shape", "weights", "zeros", "pqi", "gini", "hoyer", "bound", "ratio")
FIGURES = (".png", ".pdf", ".svg")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 1 with one message where the input is bad."""
    try:
        given = _parser().parse_args(arguments)
        if given.plot is not None and given.plot.suffix not in FIGURES:
            raise UserError(f"--plot {given.plot} is not allowed: the file must end in {', '.join(FIGURES)}")
        if given.plot is not None and not given.plot.parent.is_dir():
            raise UserError(f"--plot {given.plot} is not allowed: there is no folder {given.plot.parent}")
        method = Sap(p=given.p, q=given.q, eta_r=given.eta_r, gamma=given.gamma, beta=given.beta, scope=given.scope)
        method.check("SAP")
        tensors = open_checkpoint(given.source)
        weights = selected(tensors, given.include, given.exclude)
        table = tabulate(weights, method, grid=given.grid, ignore_zeros=given.ignore_zeros, progress=_with_bar)
        _print(given.form(table))
        if not given.include and (left_out := passed_over(tensors)):
            print(f"left out: {left_out}", file=sys.stderr)
        if given.plot is not None:
            draw(table, given.plot)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 141
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        raise


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
    sizes = [math.prod(tensor.shape) * tensor.dtype.itemsize for tensor in tensors]
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


def as_text(table: Table) -> str:
    """Aligned columns, and the network's grid where it was asked for."""
    rows = [_cells(line) for line in (*table.layers, table.total)]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = [_aligned(row, widths) for row in (COLUMNS, *rows)]
    lines.insert(-1, "-" * len(lines[0]))
    return "\n".join([*lines, f"\n{_legend(table)}", *_grid_text(table.total)])


def as_markdown(table: Table) -> str:
    rows = [_cells(line) for line in (*table.layers, table.total)]
    marks = ["---", "---", *["---:"] * (len(COLUMNS) - 2)]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in (COLUMNS, marks, *rows)), "", _legend(table)])


def as_csv(table: Table) -> str:
    """Numbers in full; what does not exist is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in (*table.layers, table.total):
        values = [getattr(line, column) for column in COLUMNS]
        values[1] = "x".join(map(str, line.shape))
        writer.writerow("" if _missing(value) else value for value in values)
    return text.getvalue().rstrip("\n")


def as_json(table: Table) -> str:
    method = table.method
    settings = {name: getattr(method, name) for name in ("p", "q", "eta_r", "gamma", "beta", "scope", "measure")}
    grid = {"p": P_GRID, "q": Q_GRID} if table.total.grid is not None else None
    content = {
        "method": settings, "grid": grid,
        "layers": [_record(line) for line in table.layers], "total": _record(table.total),
    }  # fmt: skip
    return json.dumps({key: value for key, value in content.items() if value is not None}, indent=1)


def draw(table: Table, path: Path) -> None:
    """PQI of each layer beside the whole's, and the heat map of all (p, q) where the table has the grid."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError("--plot needs matplotlib: pip install matplotlib") from error
    grid = table.total.grid
    height = min(max(2.5, 0.22 * len(table.layers)), 600)  # inches, of which more are beyond what can be drawn
    figure = Figure(figsize=(6.5 if grid is None else 11, height), layout="constrained")
    left, *right = figure.subplots(1, 1 if grid is None else 2, squeeze=False)[0]
    left.barh([line.name for line in table.layers], [line.pqi for line in table.layers], height=0.7)
    left.axvline(table.total.pqi, color="black", linestyle="--", label="all")
    left.invert_yaxis()
    left.tick_params(axis="y", labelsize=7)
    left.set_xlabel(f"PQ Index (p={table.method.p:g}, q={table.method.q:g})")
    left.legend()
    if grid is not None:
        (axes,) = right
        image = axes.imshow(grid.numpy(), origin="lower", aspect="auto", extent=(0.95, 2.05, 0.05, 1.05))
        axes.set(xlabel="q", ylabel="p", title="PQ Index of all")
        figure.colorbar(image, ax=axes)
    figure.savefig(path)


def _cells(line: Line) -> list[str]:
    shape = "x".join(map(str, line.shape)) or "-"
    measures = [f"{value:.4f}" for value in (line.pqi, line.gini, line.hoyer)]
    bound = "-" if _missing(line.bound) else f"{line.bound:,.0f}"
    ratio = "-" if _missing(line.ratio) else f"{line.ratio:.4f}"
    return [line.name, shape, f"{line.weights:,}", f"{line.zeros:,}", *measures, bound, ratio]


def _aligned(cells: Any, widths: list[int]) -> str:
    padded = (cell.ljust(n) if i < 2 else cell.rjust(n) for i, (cell, n) in enumerate(zip(cells, widths, strict=True)))
    return "  ".join(padded).rstrip()


def _legend(table: Table) -> str:
    m = table.method
    return (
        f"p={m.p:g}, q={m.q:g}; bound: weights that must be kept; ratio: share that SAP would prune by {m.scope} "
        f"(eta_r={m.eta_r:g}, gamma={m.gamma:g}, beta={m.beta:g})"
    )


def _grid_text(line: Line) -> list[str]:
    if line.grid is None:
        return []
    head = "p \\ q  " + " ".join(f"{q:6.1f}" for q in Q_GRID)
    rows = (f"{p:5.1f}  " + " ".join(f"{v:6.4f}" for v in row) for p, row in zip(P_GRID, line.grid, strict=True))
    return ["", head, *rows]


def _record(line: Line) -> dict[str, Any]:
    values = {column: getattr(line, column) for column in COLUMNS}
    record = {name: None if _missing(value) else value for name, value in values.items()}
    if line.grid is not None:
        record["grid"] = [[None if _missing(value) else value for value in row] for row in line.grid.tolist()]
    return record


def _missing(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
