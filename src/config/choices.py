"""Settings that are a choice of words."""

from enum import StrEnum

# The functional form, because `global` is a keyword of Python; the names are what the command line takes.
Scope = StrEnum("Scope", ["neuron", "layer", "global"])


class DecisionCheckpoint(StrEnum):
    """Weights that decide the next mask (PROTOCOL A1)."""

    best_test = "best_test"
    last = "last"
    best_val = "best_val"


class OneShotSource(StrEnum):
    """Checkpoint of iteration 0 that decides one-shot's masks (A2); `reference`: best for the first, last after it."""

    reference = "reference"
    best = "best"
    last = "last"


class Checkpoint(StrEnum):
    """Checkpoint of an iteration that is measured and evaluated (A3, A4)."""

    last = "last"
    best = "best"


class BatchNormBuffers(StrEnum):
    """What rewinding does to BatchNorm's running statistics (A5)."""

    keep = "keep"
    reset = "reset"


class ClipWhen(StrEnum):
    """Whether gradients are clipped before or after those of pruned weights are zeroed (A6)."""

    before_mask = "before_mask"
    after_mask = "after_mask"


class NeuronGroup(StrEnum):
    """Neuron of a convolution for lottery ticket and one-shot (A7): per kernel position, or the whole filter."""

    dim1 = "dim1"
    flattened = "flattened"


class CountArithmetic(StrEnum):
    """Arithmetic in which SAP counts the weights to prune (A8)."""

    float32 = "float32"
    exact = "exact"


class RatioCount(StrEnum):
    """Weights that a fixed ratio P prunes of n (A10): ceil(P (n - 1)), or floor(P n)."""

    quantile = "quantile"
    floor = "floor"


class Statistics(StrEnum):
    """Channel statistics for normalising: those of the authors' code, or those of the data (A15, A16)."""

    reference = "reference"
    true = "true"


class Precision(StrEnum):
    """Of matrix products and convolutions; bf16 also of activations. Parameters are float32 in all cases."""

    fp32 = "fp32"
    tf32 = "tf32"
    bf16 = "bf16"


class Compile(StrEnum):
    """On CUDA: each operation launched on its own, the step as one CUDA graph, or with torch.compile as well."""

    none = "none"
    graph = "graph"
    compile = "compile"


class MasksKept(StrEnum):
    """Masks of all iterations: a byte per weight, a bit (`src.store.masks.read_masks` reads both), or none."""

    full = "full"
    bits = "bits"
    none = "none"


class TrackingMode(StrEnum):
    """Weights & Biases: online where you are logged in, else offline; always offline; or not at all."""

    wandb = "wandb"
    offline = "offline"
    none = "none"
