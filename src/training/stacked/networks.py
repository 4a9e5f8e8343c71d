"""The stacked form of a model."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from src.models.linear import Linear
from src.models.mlp import Mlp
from src.training.execution import Execution
from src.training.spec import Precision
from src.training.stacked.dense import Dense
from src.training.stacked.groups import Group
from src.training.stacked.mapped import Mapped
from src.training.stacked.network import Network
from src.training.stacked.products import choose_products
from src.training.stacked.vectors import StackedVector


def build_network(
    precision: Precision,
    execution: Execution,
    template: nn.Module,
    names: Sequence[str],
    parameters: StackedVector,
    gradient: StackedVector,
    buffers: Mapping[str, Tensor],
    groups: Sequence[Group],
) -> Network:
    """Explicit matrix products for `linear` and `mlp`, the template mapped over the members for everything else."""
    if isinstance(template, Linear | Mlp) and precision != "bf16":
        return Dense(parameters, gradient, groups, choose_products(execution.onednn, parameters.vector.device))
    return Mapped(precision, template, names, parameters, gradient, buffers, groups)
