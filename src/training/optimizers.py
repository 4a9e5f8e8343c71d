"""Optimizers: one step of a vector of parameters. PyTorch is imported where it is used only.

Those of ours call PyTorch's functional forms: the first object of class torch.optim.Optimizer imports torch._dynamo,
which costs more than all of a short training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from src.config.part import Part, require, setting
from src.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

State = dict[str, "Tensor"]
"""An optimizer's state by name: vectors [n], a value for each parameter, and scalars, which count steps."""

TRIAL_STEPS = 4
"""Steps after which optimizers that are not elementwise show it."""


@dataclass(frozen=True)
class Optimizer(Part):
    """How a gradient changes the parameters.

    One of your own derives from this class, has its settings as fields, and defines `step`, and `state` where it has
    one. All parameters of the network, or of all networks of a stack, are one vector [n]: an optimizer must be
    elementwise, and leave a zero without gradient (a pruned weight) as it is. What a scalar of its state holds may
    depend on the number of steps only. `capturable`: whether `step` writes in place alone, reads nothing on the host,
    and takes its learning rate as a tensor, so that it can be part of a CUDA graph (trainer.compile).
    """

    capturable: ClassVar[bool] = False

    def state(self, parameters: Tensor) -> State:
        """The state before the first step; one that is empty is filled by the first step."""
        return {}

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: float | Tensor) -> None:
        """Change `parameters` [n] in place by their `gradient` [n], and `state` with them."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Stochastic gradient descent with momentum (PROTOCOL 3.1), by one fused kernel."""

    momentum: float = setting(0.9, at_least=0, below=1)
    weight_decay: float = setting(5e-4, at_least=0)
    nesterov: bool = True

    capturable: ClassVar[bool] = True

    def check(self, key: str) -> None:
        """Raise UserError where a setting is out of its limits, or Nesterov's momentum is zero."""
        super().check(key)
        allowed = f"above 0 with {key}.nesterov=true"
        require(
            self.momentum > 0 or not self.nesterov, f"{key}.momentum", self.momentum, allowed, f"{key}.nesterov=false"
        )

    def state(self, parameters: Tensor) -> State:
        """No velocity."""
        return {"momentum_buffer": parameters.new_zeros(parameters.shape)} if self.momentum else {}

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: float | Tensor) -> None:
        """v <- mu v + (g + lambda w); w <- w - lr (g + lambda w + mu v) with Nesterov's momentum, else w - lr v."""
        from torch.optim.sgd import sgd

        sgd(
            [parameters],
            [gradient],
            list(state.values()),
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=cast(float, lr),
            dampening=0.0,
            nesterov=self.nesterov,
            maximize=False,
        )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), by one fused kernel; weight decay is added to the gradient."""

    beta1: float = setting(0.9, at_least=0, below=1)
    beta2: float = setting(0.999, at_least=0, below=1)
    eps: float = setting(1e-8, above=0)
    weight_decay: float = setting(0.0, at_least=0)

    capturable: ClassVar[bool] = True
    decoupled: ClassVar[bool] = False

    def state(self, parameters: Tensor) -> State:
        """Zero moments, no steps."""
        moments = {name: parameters.new_zeros(parameters.shape) for name in ("exp_avg", "exp_avg_sq")}
        return moments | {"step": parameters.new_zeros(())}

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: float | Tensor) -> None:
        """w <- w - lr m' / (sqrt(v') + eps), with the moments m and v corrected for their start."""
        from torch.optim.adam import adam

        adam(
            [parameters],
            [gradient],
            [state["exp_avg"]],
            [state["exp_avg_sq"]],
            [],
            [state["step"]],
            fused=True,
            decoupled_weight_decay=self.decoupled,
            amsgrad=False,
            beta1=self.beta1,
            beta2=self.beta2,
            lr=lr,
            weight_decay=self.weight_decay,
            eps=self.eps,
            maximize=False,
        )


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves (Loshchilov and Hutter 2019)."""

    weight_decay: float = setting(0.01, at_least=0)

    decoupled: ClassVar[bool] = True


@dataclass(frozen=True)
class Torch(Optimizer):
    """An elementwise optimizer of torch.optim by its name, with the arguments of its class besides `lr`."""

    name: str = "RMSprop"
    options: dict[str, Any] = field(default_factory=dict)

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: float | Tensor) -> None:
        """One step of a new object of the class, which is given the state of the former one."""
        import torch

        leaf = torch.nn.Parameter(parameters)
        leaf.grad = gradient
        optimizer = self._class()([leaf], lr=lr, **self.options)
        if state:
            optimizer.state[leaf] = dict(state)
        optimizer.step()
        state.update(optimizer.state[leaf])

    def _class(self) -> Any:
        import torch

        found = getattr(torch.optim, self.name, None)
        known = [name for name, value in vars(torch.optim).items() if isinstance(value, type) and name != "Optimizer"]
        require(self.name in known, "trainer.optimizer.name", self.name, f"one of {', '.join(sorted(known))}")
        return found

    def __hash__(self) -> int:
        return hash((self.name, *sorted(self.options)))


def renew(state: State, values: Mapping[str, Tensor]) -> None:
    """Give `state` the values of another, in place where it can be: a captured step keeps its tensors."""
    for name in state.keys() - values.keys():
        del state[name]
    for name, value in values.items():
        if name in state:
            state[name].copy_(value)
        else:
            state[name] = value.clone()


def check_optimizer(optimizer: Optimizer, captured: bool = False) -> int:
    """Try an optimizer on a few numbers, at once and in two parts; how many vectors its state consists of.

    Raises:
        UserError: it does not treat every parameter alone, moves zeros without gradient, cannot be used at all, or not
            in a step that is `captured`.
    """
    import torch

    optimizer.check("trainer.optimizer")
    if captured and not optimizer.capturable:
        raise UserError(
            f"trainer.optimizer={optimizer.short} cannot be part of a CUDA graph: choose trainer.compile=none, or "
            "trainer/optimizer=sgd, adam or adamw"
        )
    generator = torch.Generator().manual_seed(0)
    start, gradients = (torch.randn(size, generator=generator) for size in ((8,), (TRIAL_STEPS, 8)))
    start[1] = gradients[:, 1] = 0
    try:
        whole, first, second = (_trial(optimizer, start[part], gradients[:, part]) for part in PARTS)
    except UserError:
        raise
    except Exception as error:  # whatever another's code raises
        raise _unusable(optimizer, f"it fails on a vector of parameters ({error})") from error
    if whole["parameters"][1] != 0:
        raise _unusable(optimizer, "it moves weights that are zero and have no gradient, as pruned ones")
    for name, value in whole.items():
        halves = [first[name], second[name]] if name in first and name in second else []
        if not all(isinstance(tensor, torch.Tensor) for tensor in [value, *halves]):
            raise _unusable(optimizer, f"its state {name} is not a tensor")
        joined = torch.cat(halves) if value.dim() else torch.stack(halves)
        if not torch.allclose(value.expand_as(joined), joined, rtol=1e-4, atol=1e-7):
            raise _unusable(optimizer, f"{name} of a parameter depends on the other parameters")
    return sum(value.shape == start.shape for value in whole.values()) - 1


PARTS = slice(None), slice(5), slice(5, None)
"""All of the numbers on trial, and two parts of them."""


def _trial(optimizer: Optimizer, start: Tensor, gradients: Tensor) -> State:
    """Parameters and state after a step for each of the gradients [steps, n]."""
    parameters = start.clone()
    state = optimizer.state(parameters)
    for gradient in gradients:
        optimizer.step(parameters, gradient.clone(), state, 0.01)
    return {"parameters": parameters, **state}


def _unusable(optimizer: Optimizer, reason: str) -> UserError:
    return UserError(
        f"trainer.optimizer={optimizer.short} cannot be used: {reason}; choose one that treats every parameter alone, "
        "such as trainer/optimizer=sgd, adam or adamw"
    )
