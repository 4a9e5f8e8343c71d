"""The protocol: where the authors' code and the paper, or good practice, differ (PROTOCOL 7.A).

The first word of each choice is theirs.
"""

from dataclasses import dataclass, field

from .part import choice, setting


@dataclass
class DecisionProtocol:
    """Weights that decide the next mask: of the best epoch on the test set, of the last, of the best held out (A1).

    checkpoint: the epoch whose weights decide; validation_fraction: share of the training images that is held out
    for best_val.
    """

    checkpoint: str = choice("best_test", "last", "best_val")
    validation_fraction: float = setting(0.1, above=0, below=1)


@dataclass
class OneShotProtocol:
    """Checkpoint of iteration 0 that decides one-shot's masks; `reference`: best for the first, last after it (A2).

    source: the checkpoint.
    """

    source: str = choice("reference", "best", "last")


@dataclass
class EvalProtocol:
    """Checkpoint of an iteration that is measured and evaluated, and that of the last iteration (A3, A4).

    checkpoint: of every iteration but the last; final_iteration: of the last.
    """

    checkpoint: str = choice("last", "best")
    final_iteration: str = choice("last", "best")


@dataclass
class RewindProtocol:
    """What rewinding does to BatchNorm's running statistics (A5).

    bn_buffers: what becomes of them.
    """

    bn_buffers: str = choice("keep", "reset")


@dataclass
class ClipProtocol:
    """Whether gradients are clipped before or after those of pruned weights are zeroed (A6).

    when: before or after the mask is applied to the gradient.
    """

    when: str = choice("before_mask", "after_mask")


@dataclass
class FixedRatioProtocol:
    """Lottery ticket and one-shot: a convolution's neuron, per kernel position or the whole filter (A7); the weights
    that a ratio P prunes of n, ceil(P (n - 1)) or floor(P n) (A10).

    neuron_group: numbers of a convolution that are one neuron's; count: how the number of pruned weights is
    rounded.
    """

    neuron_group: str = choice("dim1", "flattened")
    count: str = choice("quantile", "floor")


@dataclass
class SapProtocol:
    """Arithmetic in which SAP counts the weights to prune (A8), and whether its bound is rounded up (A9).

    count_arithmetic: float32 as the authors' code, or exact; ceil: whether the bound is rounded up.
    """

    count_arithmetic: str = choice("float32", "exact")
    ceil: bool = True


@dataclass
class ProtocolConfig:
    """The decisions A1 to A10."""

    decision: DecisionProtocol = field(default_factory=DecisionProtocol)
    one_shot: OneShotProtocol = field(default_factory=OneShotProtocol)
    eval: EvalProtocol = field(default_factory=EvalProtocol)
    rewind: RewindProtocol = field(default_factory=RewindProtocol)
    clip: ClipProtocol = field(default_factory=ClipProtocol)
    fixed_ratio: FixedRatioProtocol = field(default_factory=FixedRatioProtocol)
    sap: SapProtocol = field(default_factory=SapProtocol)
