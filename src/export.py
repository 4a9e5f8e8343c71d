"""`python -m src.export RUN [--iteration T] [--format FORMAT] [--output FILE]`: the network that a run has kept.

dense: a state dict as safetensors, pruned weights zero. compressed: only the weights that are left, and where they are;
`pqindex.decompress` and `src.export.read_export` restore it. onnx: the network with its graph, from normalised images
[N, C, H, W] to logits. Also as KEY=VALUE: iteration=10 format=onnx.
"""

import json
import sys
import timeit
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from src.config.command_line import read_settings, run_command
from src.errors import UserError
from src.files import replace

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIXES = {"dense": "safetensors", "compressed": "safetensors", "onnx": "onnx"}


@dataclass(frozen=True)
class Settings:
    """What is exported, and where to; null: of the last iteration, beside the run's records."""

    iteration: int | None = None
    format: Literal["dense", "compressed", "onnx"] = "dense"
    output: Path | None = None


def main(arguments: list[str]) -> int:
    """Write the file, and say its size and what its sparsity is worth on this machine."""
    if not arguments or arguments[0].startswith("-") or ("=" in arguments[0] and not Path(arguments[0]).exists()):
        raise UserError("name the run's folder: python -m src.export outputs/runs/NAME --iteration 10")
    from src.records.networks import image_shape, load_network, read_network

    folder, settings = Path(arguments[0]).expanduser(), read_settings(Settings, arguments[1:])
    iteration, state = read_network(folder, settings.iteration)
    output = settings.output or folder / f"network-{iteration}-{settings.format}.{SUFFIXES[settings.format]}"
    try:
        if settings.format == "onnx":
            write_onnx(load_network(folder, iteration, _built(folder))[0], image_shape(folder), output)
        else:
            write_export(state, output, settings.format)
    except OSError as error:
        raise UserError(f"{output}: {error.strerror or error}; output=FILE writes elsewhere") from error
    dense = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    print(f"iteration {iteration}: {dense:,} bytes of tensors, {output.stat().st_size:,} as a {settings.format} file")
    print(speed(state))
    print(output)
    return 0


def _built(folder: Path) -> "nn.Module":
    from src.records.networks import build_network

    try:
        return build_network(folder)
    except UserError as error:
        raise UserError(
            f"{error}; build the network in Python, fill it by src.records.networks.load_network(RUN, network=...), "
            "and give it to src.export.write_onnx"
        ) from error


def write_export(state: "dict[str, Tensor]", output: Path, form: str) -> None:
    from src.library.compressed import compress
    from src.library.safetensors import write_safetensors

    if form == "dense":
        write_safetensors(state, output)
    else:
        tensors, shapes = compress(state)
        write_safetensors(tensors, output, {"shapes": json.dumps(shapes)})


def write_onnx(network: "nn.Module", image_shape: tuple[int, int, int], output: Path) -> None:
    """ONNX of a network, for any number of images.

    Raises:
        UserError: PyTorch's exporter is not installed.
    """
    import warnings

    import torch

    if absent := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise UserError(f"format=onnx needs {' and '.join(absent)}: pip install onnx onnxscript")

    def write(part: Path) -> None:
        torch.onnx.export(
            network.eval(), (torch.zeros(2, *image_shape),), part, dynamo=True, external_data=False, verbose=False,
            input_names=["images"], output_names=["logits"], dynamic_shapes=({0: torch.export.Dim("batch")},),
        )  # fmt: skip

    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # the exporter's own
        replace(output, write)


def read_export(path: Path) -> "dict[str, Tensor]":
    """The state dict of an exported file, dense or compressed."""
    from src.library.compressed import decompress
    from src.library.safetensors import read_metadata, stored_tensors

    tensors = {stored.name: stored.read() for stored in stored_tensors(path)}
    return decompress(tensors, json.loads(read_metadata(path).get("shapes", "{}")))


def speed(state: "dict[str, Tensor]") -> str:
    """What PyTorch takes for the largest matrix times 64 inputs, as it is and as a sparse matrix, measured here."""
    import warnings

    import torch

    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    matrix = max((w.flatten(1) for w in state.values() if w.dim() > 1), key=torch.numel).float()
    inputs = torch.ones(matrix.shape[1], 64)
    timed = (
        timeit.repeat(partial(torch.matmul, w, inputs), repeat=10, number=1) for w in (matrix, matrix.to_sparse_csr())
    )
    dense, sparse = (1e6 * min(seconds) for seconds in timed)
    left = 100 * float((matrix != 0).double().mean())
    return (
        f"largest layer, {'x'.join(map(str, matrix.shape))} with {left:.1f} % left, times 64 inputs: {dense:.0f} us "
        f"dense, {sparse:.0f} us as a sparse matrix, {dense / sparse:.2f} times the speed"
    )


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:], __doc__ or "", main))
