"""Steps as CUDA graphs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UP = 3
"""Runs before a capture, in which libraries choose their kernels."""


class Captured:
    """A step that runs on tensors which stay where they are, captured once for each shape of its inputs.

    `changes`: everything that the step writes and that outlives it; warming up leaves it as it was. Inputs are copied
    to fixed places and the graph is replayed. On a CPU the step itself runs on the fixed inputs instead.
    """

    def __init__(self, step: Callable[..., None], changes: Sequence[Tensor]) -> None:
        self._step = step
        self._changes = changes
        self._recordings: dict[tuple[torch.Size, ...], tuple[list[Tensor], Callable[[], None]]] = {}

    def __call__(self, *inputs: Tensor) -> None:
        """Run the step on `inputs`."""
        shapes = tuple(tensor.shape for tensor in inputs)
        if shapes not in self._recordings:
            self._recordings[shapes] = self._record([tensor.clone() for tensor in inputs])
        fixed, replay = self._recordings[shapes]
        for place, tensor in zip(fixed, inputs, strict=True):
            place.copy_(tensor)
        replay()

    def _record(self, fixed: list[Tensor]) -> tuple[list[Tensor], Callable[[], None]]:
        before = [tensor.clone() for tensor in self._changes]
        on_gpu = fixed[0].is_cuda
        if on_gpu:
            replay = self._capture(fixed)
        else:
            self._step(*fixed)
            replay = lambda: self._step(*fixed)  # noqa: E731
        with torch.no_grad():
            for tensor, value in zip(self._changes, before, strict=True):
                tensor.copy_(value)
        return fixed, replay

    def _capture(self, fixed: list[Tensor]) -> Callable[[], None]:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._step(*fixed)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step(*fixed)
        return graph.replay
