"""Stacked networks of any architecture: the template, mapped over its members by torch.func."""

from collections.abc import Mapping, Sequence
from itertools import chain

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from src.training.execution import autocast
from src.training.spec import Precision
from src.training.stacked.groups import Group
from src.training.stacked.network import hits
from src.training.stacked.vectors import StackedVector


class Mapped:
    """Members of one group run as one batched call on their shared batch; BatchNorm's statistics are per member.

    Running statistics are updated in place, in `buffers` [K, ...], as each member alone would do.
    """

    def __init__(
        self,
        precision: Precision,
        template: nn.Module,
        names: Sequence[str],
        parameters: StackedVector,
        gradient: StackedVector,
        buffers: Mapping[str, Tensor],
        groups: Sequence[Group],
    ) -> None:
        self._precision: Precision = precision
        self._template = template
        self._gradient = gradient.vector
        self._all = dict(zip(names, parameters.leaves, strict=True)) | dict(buffers)
        self._groups = [_members(names, parameters, gradient, buffers, g) for g in groups]

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
    names: Sequence[str], parameters: StackedVector, gradient: StackedVector, buffers: Mapping[str, Tensor], g: Group
) -> dict[str, Tensor]:
    """A group's parameters, whose gradients go straight to their place in the stack, and its buffers: all views."""
    part = slice(g.start, g.stop)
    tensors: dict[str, Tensor] = {}
    for name, values, grad in zip(names, parameters.leaves, gradient.leaves, strict=True):
        tensors[name] = nn.Parameter(values[part])
        tensors[name].grad = grad[part]
    return dict(chain(tensors.items(), ((name, buffer[part]) for name, buffer in buffers.items())))
