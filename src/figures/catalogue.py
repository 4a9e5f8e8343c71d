"""Every kind of figure, and the names of the paper's figures for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from src.errors import UserError
from src.figures.kinds import ablation, errors, heat_map, layers, methods, ratio
from src.figures.plan import SCOPES, Filter, Planner
from src.figures.series import SAP
from src.figures.settings import FigureSettings, several

KINDS: dict[str, Planner] = {
    "prune": partial(methods.plans, "prune"),
    "pruned": partial(methods.plans, "pruned"),
    "p": partial(ablation.plans, "p"),
    "q": partial(ablation.plans, "q"),
    "eta": partial(ablation.plans, "eta"),
    "gamma": partial(ablation.plans, "gamma"),
    "ratio": partial(ratio.plans, "ratio"),
    "layer": partial(layers.plans, "layer"),
    "si_layer": partial(layers.plans, "si_layer"),
    "pq": partial(heat_map.plans, "pq"),
    "errors": partial(errors.plans, "errors"),
}


@dataclass(frozen=True)
class Alias:
    """A figure of the paper: its kinds, and what it is drawn of where nothing else is asked for."""

    kinds: tuple[str, ...]
    dataset: str = "cifar10"
    model: str = "cnn"
    scope: str | None = "global"
    method: Mapping[str, str] = field(default_factory=dict)


ALIASES = {
    "fig2": Alias(("prune", "pruned")),
    "fig3": Alias(("ratio", "layer", "si_layer"), scope=None, method={"layer": SAP.key, "si_layer": SAP.key}),
    "fig4": Alias(("p", "q")),
    "fig5": Alias(("eta", "gamma")),
    "readme": Alias(("prune", "pruned"), model="resnet18"),
}


@dataclass(frozen=True)
class Request:
    """A kind, and which studies, scopes and methods it is asked for."""

    kind: str
    dataset: tuple[str, ...] | None
    model: tuple[str, ...] | None
    filter: Filter


def requests(settings: FigureSettings) -> list[Request]:
    """What `figure=` asks for, in order, each once. Raises UserError for an unknown name."""
    found: list[Request] = []
    for name in several(settings.figure) or ():
        if name == "all":
            found += [_request(kind, settings) for kind in KINDS]
        elif name in KINDS:
            found.append(_request(name, settings))
        elif name in ALIASES:
            found += [_request(kind, settings, ALIASES[name]) for kind in ALIASES[name].kinds]
        else:
            known = ", ".join(["all", *KINDS, *ALIASES])
            raise UserError(f"figure={name} is not known; choose from {known}")
    return list(dict.fromkeys(found))


def _request(kind: str, settings: FigureSettings, alias: Alias | None = None) -> Request:
    defaults = {} if alias is None else {**vars(alias), "method": alias.method.get(kind)}
    values = {
        key: several(getattr(settings, key) or defaults.get(key)) for key in ("dataset", "model", "scope", "method")
    }
    if unknown := set(values["scope"] or ()) - set(SCOPES):
        raise UserError(f"scope={','.join(sorted(unknown))} is not known; choose from {', '.join(SCOPES)}")
    chosen = Filter(values["scope"] or SCOPES, values["method"])
    return Request(kind, values["dataset"], values["model"], chosen)
