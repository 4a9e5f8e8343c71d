"""Optimizers: one step of a vector of parameters. PyTorch is imported where it is used only.

Those of ours call PyTorch's functional forms: the first object of class torch.optim.Optimizer imports torch._dynamo,
which costs more than all of a short training.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from src.config.part import Part, require, setting

if TYPE_CHECKING:
    from torch import Tensor

State = dict[str, "Tensor"]
"""An optimizer's state by name: vectors [n], a value for each parameter, and scalars, which count steps."""


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
        raise NotImplementedError(f"{type(self).__name__} has to say how it steps: define step()")


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Stochastic gradient descent with momentum (PROTOCOL 3.1), by one fused kernel.

    momentum: mu; weight_decay: lambda, on all parameters; nesterov: whether a step looks ahead.
    """

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
    """Adam (Kingma and Ba 2015), by one fused kernel; weight decay is added to the gradient.

    beta1, beta2: decay of the first and the second moment; eps: added to the root of the second; weight_decay:
    lambda, on all parameters.
    """

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
    """An elementwise optimizer of torch.optim by its name, with the arguments of its class besides `lr`.

    name: of a class in torch.optim; options: its arguments, as {alpha: 0.9}.
    """

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
