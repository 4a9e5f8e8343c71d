"""Initial states: from the seed, or from a file."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from src.data.dataset import Dataset
from src.errors import UserError
from src.messages import State
from src.models.model import build_model, prunable_names
from src.run import Run
from src.store.files import read_tensors
from src.trajectory import Layout

DRAWS = 1_000_003
"""Between the seeds of a run's fresh initial states."""


class InitialStates:
    """Initial states of runs with one model on one data set, each made once; `model` is one of the models.

    Raises UserError where the model does not fit the images, or a file does not fit the model.
    """

    def __init__(self, dataset: Dataset, device: torch.device, runs: Sequence[Run]) -> None:
        self._dataset = dataset
        self._device = device
        self._states: dict[Hashable, State] = {}
        self.model: nn.Module
        for run in runs:
            self.of(run, 0)

    def of(self, run: Run, draw: int) -> State:
        """The state that a run starts from, on the device; `draw` above 0: another one of its seed."""
        config = run.config
        if draw > 0:
            return self._moved(self._build(run, config.seed + draw * DRAWS).state_dict())
        key = config.seed, config.init_from
        if key not in self._states:
            self.model = self._build(run, config.seed)
            state: State = self.model.state_dict()
            if config.init_from is not None:
                state = read_initial_state(Path(config.init_from), state)
            self._states[key] = self._moved(state)
        return self._states[key]

    def layout(self, run: Run) -> Layout:
        """What is pruned of a run's network. Raises UserError where a pattern of prune.exclude matches nothing."""
        names = prunable_names(self.model, run.config.prune.exclude)
        return Layout(names, [name for name, _ in self.model.named_buffers()])

    def _build(self, run: Run, seed: int) -> nn.Module:
        return build_model(run.config.model, self._dataset.image_shape, self._dataset.classes, seed)

    def _moved(self, state: State) -> State:
        return {name: tensor.detach().to(self._device, copy=True) for name, tensor in state.items()}


def read_initial_state(path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with the names and shapes of `like`.

    A `.safetensors` file must have our names. The arrays of an `.npz` may be named otherwise: each tensor takes the
    first array left, in the file's order, with its shape and the same last part of the name (`weight`, `bias`, ...).
    """
    if not path.is_file():
        raise UserError(f"init_from={path}: there is no such file; give a .safetensors or .npz file")
    if path.suffix == ".npz":
        return _matched(_read_npz(path), like, path)
    if path.suffix == ".safetensors":
        try:
            tensors, _ = read_tensors(path)
        except OSError as error:
            raise UserError(f"init_from: {error}; write the file again") from error
        return _named(tensors, like, path)
    raise UserError(f"init_from={path}: the suffix is {path.suffix or 'missing'}; allowed are .safetensors and .npz")


def _read_npz(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(np.array(arrays[name])) for name in arrays.files}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise UserError(f"init_from={path} cannot be read ({error}); write the file again") from error


def _named(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    if missing := [name for name in like if name not in tensors]:
        raise UserError(f"init_from={path}: {missing[0]} is missing; the model needs {_shapes(like)}")
    if extra := [name for name in tensors if name not in like]:
        raise UserError(f"init_from={path}: {extra[0]} is not part of the model, which has {_shapes(like)}")
    for name, tensor in like.items():
        if tensors[name].shape != tensor.shape:
            raise UserError(
                f"init_from={path}: {name} has shape {list(tensors[name].shape)}, the model needs "
                f"{list(tensor.shape)}; choose the model and data set that the file was made for"
            )
    return {name: tensors[name].to(tensor.dtype) for name, tensor in like.items()}


def _matched(arrays: dict[str, Tensor], like: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    left = dict(arrays)
    matched = {}
    for name, tensor in like.items():
        key = next((k for k, a in left.items() if a.shape == tensor.shape and _last(k) == _last(name)), None)
        if key is None:
            raise UserError(
                f"init_from={path}: no array of shape {list(tensor.shape)} is left for {name}; the file has "
                f"{_shapes(arrays)}, the model needs {_shapes(like)}"
            )
        matched[name] = left.pop(key).to(tensor.dtype)
    if left:
        raise UserError(f"init_from={path}: the model has no place for {_shapes(left)}; it has {_shapes(like)}")
    return matched


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _shapes(tensors: Mapping[str, Tensor]) -> str:
    shown = [f"{name} {list(tensor.shape)}" for name, tensor in list(tensors.items())[:6]]
    return ", ".join(shown) + (", ..." if len(tensors) > 6 else "")
