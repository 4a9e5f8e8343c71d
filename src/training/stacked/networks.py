"""K networks of one architecture on the parameters of a stack: what it needs to know, and the form for any model."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import groupby
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from src.training.backend import autocast
from src.training.spec import Precision
from src.training.vectors import StackedVector


class Network(Protocol):
    """K networks of one architecture, on the parameters of a stack."""

    def backward(self, xs: Sequence[Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
        """Write each member's gradient of its mean cross-entropy; losses summed over the batch and hits, [K] each.

        `xs` holds the batch of each group, [batch, channels, height, width]; `labels` [K, 1, batch] are per member.
        """
        ...

    def logits(self, x: Tensor) -> Tensor:
        """All members' logits [K, classes, batch] of the same images, in evaluation mode."""
        ...


def group(keys: Sequence[Hashable]) -> list[range]:
    """Members that see the same batches: runs of equal keys, in order.

    >>> group(["a", "a", "b"])
    [range(0, 2), range(2, 3)]
    """
    groups: list[range] = []
    for _, run in groupby(keys):
        start = groups[-1].stop if groups else 0
        groups.append(range(start, start + len(list(run))))
    return groups


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """Images whose largest logit is their label's, [K]; `logits` [K, classes, batch], `labels` [K, 1, batch]."""
    # max, not argmax: the same first index of equals, 20 times as fast over this dimension on a CPU
    return (logits.max(1, keepdim=True).indices == labels).sum((1, 2))


class Mapped:
    """The template, mapped over its members by torch.func.

    Members of one group run as one batched call on their shared batch; BatchNorm's statistics are per member. Running
    statistics are updated in place, in `buffers` [K, ...], as each member alone would do.
    """

    def __init__(
        self,
        precision: Precision,
        template: nn.Module,
        names: Sequence[str],
        parameters: StackedVector,
        gradient: StackedVector,
        buffers: Mapping[str, Tensor],
        groups: Sequence[range],
    ) -> None:
        self._precision: Precision = precision
        self._template = template
        self._gradient = gradient.vector
        self._all = dict(zip(names, parameters.leaves, strict=True)) | dict(buffers)
        self._groups = [_members(names, parameters, gradient, buffers, slice(g.start, g.stop)) for g in groups]

    def backward(self, xs: Sequence[Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the mean cross-entropy; summed losses and hits, [K] each."""
        self._gradient.zero_()
        self._template.train()
        logits = torch.cat([self._call(tensors, x) for tensors, x in zip(self._groups, xs, strict=True)])
        losses = cross_entropy(logits, labels[:, 0], reduction="none").sum(1)
        (losses.sum() / logits.shape[2]).backward()
        return losses.detach(), hits(logits.detach(), labels)

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """Logits [K, classes, batch] of the same images for all members."""
        self._template.eval()
        return self._call(self._all, x)

    def _call(self, tensors: dict[str, Tensor], x: Tensor) -> Tensor:
        def one(member: dict[str, Tensor]) -> Tensor:
            logits: Tensor = functional_call(self._template, member, (x,))
            return logits

        with autocast(self._precision, x.device):
            logits: Tensor = torch.vmap(one)(tensors)
        return logits.float().transpose(1, 2)


def _members(
    names: Sequence[str],
    parameters: StackedVector,
    gradient: StackedVector,
    buffers: Mapping[str, Tensor],
    members: slice,
) -> dict[str, Tensor]:
    """A group's parameters, whose gradients go straight to their place in the stack, and its buffers: all views."""
    tensors: dict[str, Tensor] = {}
    for name, values, grad in zip(names, parameters.leaves, gradient.leaves, strict=True):
        tensors[name] = nn.Parameter(values[members])
        tensors[name].grad = grad[members]
    return tensors | {name: buffer[members] for name, buffer in buffers.items()}
