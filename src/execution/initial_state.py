"""Initial states: from the seed, or from a file; each made once."""

import copy
import math
from collections.abc import Hashable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from src.data.dataset import Dataset
from src.errors import UserError
from src.messages import State
from src.models.model import build_model, prunable_names
from src.run import Run
from src.store.digest import tensors_digest
from src.trajectory import Layout

DRAWS = 1_000_003
"""Between the seeds of a run's fresh initial states."""

LARGE = 100_000_000
"""Parameters from which on it is looked whether there is room for them."""

COPIES = 6
"""Of the parameters, in training: the start, themselves, gradient, mask, momentum, best epoch's."""


class InitialStates:
    """Initial states of runs with one model on one data set, each made once on `device`; `model` is one of the models.

    Raises UserError where the model does not fit the images, or is another one when it is built again, or a file does
    not fit the model.
    """

    model: nn.Module

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.dataset = dataset
        self.device = device
        self._states: dict[Hashable, State] = {}

    def of(self, run: Run, draw: int) -> State:
        """The state that a run starts from, on the device; `draw` above 0: another one of its seed."""
        config = run.config
        if draw > 0:
            return self._moved(self._build(run, config.seed + draw * DRAWS).state_dict())
        key = config.seed, config.init_from
        if key not in self._states:
            self.model = self._build(run, config.seed)
            first = not self._states and config.init_from is None
            if first and _numbers(self.model) != _numbers(self._build(run, config.seed)):
                raise UserError(
                    f"model={config.model.short} begins with other numbers whenever it is built: draw them from "
                    "PyTorch's generator, and from no other"
                )
            state: State = self.model.state_dict()
            if config.init_from is not None:
                from src.execution.state_file import read_initial_state

                state = read_initial_state(Path(config.init_from), state)
            self._states[key] = self._moved(state)
        return self._states[key]

    @cached_property
    def about(self) -> dict[str, Any]:
        """What run.json tells of the network: what it takes and gives, and how many numbers it has."""
        return {
            "image_shape": list(self.dataset.image_shape),
            "classes": self.dataset.classes,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
        }

    @cached_property
    def multiply_adds(self) -> int | None:
        """Of one image, in all layers with weights, before pruning; None where a foreign model does not tell."""
        from src.library.masks import Masks
        from src.library.network import everything

        network = copy.deepcopy(self.model).cpu().eval()
        try:
            return Masks.of(network, everything).flops(network, torch.zeros(1, *self.dataset.image_shape)).dense
        except Exception:  # it is for information only, and the model may be anyone's
            return None

    def layout(self, run: Run) -> Layout:
        """What is pruned of a run's network. Raises UserError where a pattern of prune.exclude matches nothing."""
        names = prunable_names(self.model, run.config.prune.exclude)
        kept = self.model.state_dict()
        return Layout(names, [name for name, _ in self.model.named_buffers() if name in kept])

    def _build(self, run: Run, seed: int) -> nn.Module:
        with _Room(run.config.model.short):
            return build_model(run.config.model, self.dataset.image_shape, self.dataset.classes, seed)

    def _moved(self, state: State) -> State:
        return {name: tensor.detach().to(self.device, copy=True) for name, tensor in state.items()}


def _numbers(model: nn.Module) -> str:
    """Digest of all that a model begins with, bit for bit."""
    tensors = {**model.state_dict(), **dict(model.named_buffers())}
    return tensors_digest({name: t.detach().contiguous().reshape(-1).view(torch.uint8) for name, t in tensors.items()})


class _Room(TorchFunctionMode):
    """Raises UserError before a network is made that could not be trained in the memory there is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._parameters = name, 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.empty and args:
            size = args[0] if isinstance(args[0], Sequence) else args
            self._parameters += math.prod(size)
            if self._parameters > LARGE:
                self._check()
        return function(*args, **(kwargs or {}))

    def _check(self) -> None:
        from src.training.stacked import FLOAT, free_memory

        needed, free = COPIES * FLOAT * self._parameters, free_memory(torch.device("cpu"))
        if needed > free:
            raise UserError(
                f"model={self._name} has {self._parameters / 1e9:.1f} billion parameters or more: training them takes "
                f"{needed / 1e9:.0f} GB, {free / 1e9:.0f} GB of memory are free; choose a smaller one"
            )
