"""Plausible run folders of the record schema, made in milliseconds: for tests of what reads records."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from math import gamma as gamma_function
from math import pi, sqrt
from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import save_file

from src.records.method import CLASSES

P = np.round(np.arange(0.1, 1.01, 0.1), 1)
Q = np.round(np.arange(1.0, 2.01, 0.1), 1)

LAYERS = {
    "linear": {"linear.weight": 7840},
    "mlp": {"hidden1.weight": 100352, "hidden2.weight": 32768, "linear.weight": 2560},
    "cnn": {"conv1.weight": 1728, "conv2.weight": 73728, "conv3.weight": 294912, "conv4.weight": 1179648,
            "linear.weight": 5120},
    "resnet18": {"stem.weight": 1728, **{f"block{i}.conv.weight": 294912 for i in range(19)}, "linear.weight": 5120},
}  # fmt: skip
PRUNINGS = {"linear": 30, "mlp": 30, "cnn": 30, "resnet18": 15}
FOUR = [
    {"name": "sap", "p": 0.5, "q": 1.0, "eta_r": 0.0, "gamma": 1.0, "beta": 0.9},
    {"name": "sap", "p": 1.0, "q": 2.0, "eta_r": 0.0, "gamma": 1.0, "beta": 0.9},
    {"name": "lottery_ticket", "ratio": 0.2},
    {"name": "one_shot", "ratio": 0.2},
]


def sap(p: float = 0.5, q: float = 1.0, eta_r: float = 0.0, gamma: float = 1.0) -> dict[str, object]:
    return {"name": "sap", "p": p, "q": q, "eta_r": eta_r, "gamma": gamma, "beta": 0.9}


ABLATIONS = [
    *(sap(p=p) for p in (0.2, 0.4, 0.6, 0.8)),
    *(sap(p=1.0, q=q) for q in (1.2, 1.4, 1.6, 1.8)),
    *(sap(eta_r=eta) for eta in (0.001, 0.01, 0.1, 1.0)),
    *(sap(gamma=gamma) for gamma in (3.0, 5.0, 7.0, 9.0)),
]


@dataclass(frozen=True)
class Spec:
    """One run to be made up."""

    method: dict[str, object]
    seed: int = 0
    dataset: str = "cifar10"
    model: str = "cnn"
    scope: str = "global"
    trainer: str = "paper"
    protocol: str = "reference"
    status: str = "finished"
    epochs: int = 200
    train_size: int | None = None
    schema: int = 2
    experiment: str | None = "synthetic"
    phases: bool = True
    iterations: int | None = None
    overrides: tuple[str, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()
    init_from: str | None = None

    @property
    def final(self) -> int:
        """T."""
        return PRUNINGS[self.model] if self.iterations is None else self.iterations


OWN = {"name": "my_pruner", "depth": 3, "_target_": "my_package.MyPruner"}
"""A method that this repository has never heard of."""


def describe(method: dict[str, object]) -> dict[str, object]:
    """`method` of run.json."""
    name = method["name"]
    values = {k: v for k, v in method.items() if isinstance(v, float) or k in ("measure", "exclude")}
    if name in CLASSES:
        part = CLASSES[name](**values)
        return {"kind": name, "short": part.short, "label": part.label}
    return {"kind": name, "short": f"{name}-depth{method['depth']}", "label": f"Mine ($\\gamma$={method['depth']})"}


def key(method: dict[str, object]) -> str:
    return str(describe(method)["short"])


def write_runs(output_dir: Path, specs: Iterable[Spec]) -> list[Path]:
    """The folders of all specs below `<output_dir>/runs`."""
    return [write_run(output_dir, spec) for spec in specs]


def base_specs(
    dataset: str, model: str, seeds: Iterable[int] = range(4), scopes: tuple[str, ...] = ("global",)
) -> list[Spec]:
    """The four methods in the given scopes."""
    return [Spec(m, s, dataset, model, scope) for scope in scopes for m in FOUR for s in seeds]


def full_experiment() -> list[Spec]:
    """Blocks A and B of PROTOCOL 5.2: 640 runs."""
    models = ("linear", "mlp", "cnn", "resnet18")
    scopes = ("neuron", "layer", "global")
    block_a = [s for d in ("fashion_mnist", "cifar10") for m in models for s in base_specs(d, m, scopes=scopes)]
    block_b = [Spec(method, seed, "cifar10", m) for m in models for method in ABLATIONS for seed in range(4)]
    return block_a + block_b


def write_run(output_dir: Path, spec: Spec) -> Path:
    """One run's folder."""
    final = spec.final
    name = f"{spec.dataset}-{spec.model}-T{final}-{spec.scope}-{key(spec.method)}-seed{spec.seed}"
    tag = sha256(repr(spec).encode()).hexdigest()[:8]
    folder = output_dir / "runs" / f"{name}-{tag}"
    folder.mkdir(parents=True, exist_ok=True)
    done = final + 1 if spec.status == "finished" else 3
    state = {"schema": spec.schema, "id": tag, "name": folder.name, "status": spec.status,
             "iterations_done": done, "iterations_total": final + 1, "reason": None, "dataset": spec.dataset,
             "model": spec.model, "method": describe(spec.method), "scope": spec.scope, "seed": spec.seed,
             "experiment": spec.experiment, "choices": _choices(spec), "config_dir": None, "provenance": {},
             "overrides": [*_method_words(spec.method), *spec.overrides], "digests": dict(spec.digests)}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(state))
    (folder / "config.yaml").write_text(yaml.dump(_config(spec, final), Dumper=yaml.CSafeDumper))
    _write_tables(folder, spec, final, done)
    return folder


def _method_words(method: dict[str, object]) -> list[str]:
    return [f"prune.{k}={v:g}" for k, v in method.items() if isinstance(v, float | int) and k != "beta"]


def _choices(spec: Spec) -> dict[str, object]:
    return {"dataset": spec.dataset, "model": spec.model, "prune": spec.method["name"], "trainer": spec.trainer,
            "protocol": spec.protocol, "tracking": "none"}  # fmt: skip


def _config(spec: Spec, final: int) -> dict[str, object]:
    return {
        "experiment_name": spec.experiment, "seed": spec.seed, "device": "cpu", "init_from": spec.init_from,
        "output_dir": "outputs",
        "dataset": {"name": spec.dataset, "root": "data", "train_size": spec.train_size, "test_size": None,
                    "shuffle": True, "augment": True, "statistics": "reference"},
        "model": {"name": spec.model, "prune_iterations": final},
        "prune": {**spec.method, "scope": spec.scope, "iterations": final},
        "trainer": {"name": spec.trainer, "epochs": spec.epochs, "batch_size": 250, "lr": 0.1, "momentum": 0.9,
                    "weight_decay": 0.0005, "nesterov": True, "clip_norm": 1.0, "checkpoint_every": 1},
        "protocol": {"name": spec.protocol, "decision": {"checkpoint": "best_test", "validation_fraction": 0.1}},
        "tracking": {"mode": "none", "project": "x", "entity": None},
    }  # fmt: skip


def _moment(p: float) -> float:
    """E|w|^p of a standard Gaussian."""
    return 2 ** (p / 2) * gamma_function((p + 1) / 2) / sqrt(pi)


KEPT = np.array([[(_moment(p) ** (1 / p)) / (_moment(q) ** (1 / q)) for q in Q] for p in P])
"""1 - I_{p,q} of Gaussian weights."""
ANCHOR = float(np.log(KEPT[4, 0]))


def _index(fraction: np.ndarray, phases: bool) -> np.ndarray:
    """I_{0.5,1} of a network with this fraction left: falls, rises, falls again where `phases`."""
    x = -np.log10(fraction)
    start = 0.31 - 0.11 * np.minimum(x / 0.8, 1)
    if not phases:
        return start
    return start + 0.5 * np.exp(-(((x - 2.2) / 0.55) ** 2)) - 0.15 / (1 + np.exp(-(x - 2.9) / 0.1))


def _grid(index: np.ndarray) -> np.ndarray:
    """[..., 10, 11] with the given I_{0.5,1}, other entries in proportion to those of a Gaussian."""
    power = np.log1p(-index) / ANCHOR
    return 1 - KEPT ** power[..., None, None]


def _fractions(spec: Spec, final: int, noise: np.ndarray) -> np.ndarray:
    """Fraction of weights left in iterations 0..T."""
    left = np.ones(final + 1)
    rate = {"neuron": 0.55, "layer": 0.8, "global": 1.0}[spec.scope]
    for t in range(final):
        kept = 0.8
        if spec.method["name"] == "sap":
            p, q, eta, gamma = (float(str(spec.method[k])) for k in ("p", "q", "eta_r", "gamma"))
            index = _grid(_index(left[t : t + 1], spec.phases))[0, round(p * 10) - 1, round((q - 1) * 10)]
            bound = (1 + eta) ** (-q / (q - p)) * (1 - index) ** (p * q / (q - p))
            kept = 1 - min(max(gamma * (1 - bound), 0.0), 0.9)
        left[t + 1] = max(left[t] * (1 - (1 - kept) * rate * (1 + noise[t])), 2e-6)
    return left


def _write_tables(folder: Path, spec: Spec, final: int, done: int) -> None:
    rng = np.random.default_rng([spec.seed, sum(map(ord, spec.dataset + spec.model + spec.scope + key(spec.method)))])
    sizes = np.array(list(LAYERS[spec.model].values()))
    left = _fractions(spec, final, 0.03 * rng.standard_normal(final + 1))
    speed = np.linspace(0.75, 1.05, len(sizes)) if len(sizes) > 1 else np.ones(1)
    layer_left = np.floor(sizes * left[:, None] ** speed).clip(1)
    remaining = layer_left.sum(1)
    fraction = remaining / sizes.sum()
    index = (_index(fraction, spec.phases) + 0.004 * rng.standard_normal(final + 1)).clip(0.01, 0.95)
    dense, chance = (91.0, 10.0) if spec.model != "linear" else (40.0, 10.0)
    strength = 1 / (1 + np.exp((-np.log10(fraction) - 2.3) / 0.18))
    accuracy = chance + (dense - chance) * strength + 0.25 * rng.standard_normal(final + 1)
    after = accuracy - 1.5 - 25 * np.exp(-((np.log10(fraction) + 2.0) ** 2))
    gini = (index * 1.2 + 0.24).clip(0, 0.99)
    t = np.arange(final + 1)
    last = t == final
    undefined = np.where(last, np.nan, 0.0)
    columns = {
        "iteration": t, "remaining": remaining, "total": np.full(final + 1, sizes.sum()),
        "percent_remaining": 100 * fraction, "retrained_accuracy": accuracy, "retrained_loss": 5 / accuracy,
        "retrained_pqi": index, "retrained_gini": gini, "pruned_accuracy": after.clip(8) + undefined,
        "pruned_loss": 5 / accuracy + undefined, "pruned_pqi": index * 0.93 + undefined,
        "pruned_gini": gini * 0.95 + undefined, "best_epoch": t * 0 + 1, "best_accuracy": accuracy + 0.2,
        "retained_bound": np.append(remaining[1:], np.nan), "pruned_count": np.append(-np.diff(remaining), np.nan),
    }  # fmt: skip
    _write_csv(folder / "iterations.csv", columns, done)
    layer_index = np.stack([(index + 0.02 * i).clip(0, 0.95) for i in range(len(sizes))], axis=1)
    names = np.tile(list(LAYERS[spec.model]), final + 1)
    per_layer = {
        "iteration": np.repeat(t, len(sizes)), "layer": names, "remaining": layer_left.ravel(),
        "total": np.tile(sizes, final + 1), "percent_remaining": (100 * layer_left / sizes).ravel(),
        "retrained_pqi": layer_index.ravel(), "retrained_gini": (layer_index * 1.2 + 0.2).ravel(),
        "pruned_pqi": layer_index.ravel() * 0.9, "pruned_gini": layer_index.ravel(),
        "pruned_count": np.zeros(names.size),
    }  # fmt: skip
    _write_csv(folder / "layers.csv", per_layer, done * len(sizes))
    arrays = {}
    for side, factor in (("retrained", 1.0), ("pruned", 0.93)):
        same_start = np.append(0.31 + 0.001 * spec.seed, index[1:])  # the dense network is that of all methods
        whole, layers = _grid(same_start * factor), _grid(layer_index * factor)
        for i in range(done - (side == "pruned")):
            arrays[f"iteration_{i}/{side}/pqi_global"] = whole[i]
            arrays[f"iteration_{i}/{side}/pqi_layer"] = layers[i]
            arrays[f"iteration_{i}/{side}/gini_layer"] = layer_index[i]
    metadata = {"p": P.tolist(), "q": Q.tolist(), "layers": list(LAYERS[spec.model])}
    save_file(arrays, folder / "measures.safetensors", {"json": json.dumps(metadata)})


def _write_csv(path: Path, columns: dict[str, np.ndarray], rows: int) -> None:
    texts = [
        ["" if v != v else f"{v:.10g}" if isinstance(v, float) else str(v) for v in c.tolist()]
        for c in columns.values()
    ]
    lines = [",".join(row) for row in list(zip(*texts, strict=True))[:rows]]
    path.write_text("\n".join([",".join(columns), *lines]) + "\n")
