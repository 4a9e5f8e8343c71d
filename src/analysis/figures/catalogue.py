"""Every kind of figure, and the names of the paper's figures for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from src.analysis.figures.kinds import errors, heat_map, layers, methods, ratio
from src.analysis.figures.plan import Filter, Planner
from src.analysis.settings import FigureSettings
from src.errors import UserError
from src.records.method import SAP
from src.records.schema import SCOPES

KINDS: dict[str, Planner] = {
    "prune": methods.plans,
    "pruned": methods.plans,
    "p": methods.ablations,
    "q": methods.ablations,
    "eta": methods.ablations,
    "gamma": methods.ablations,
    "ratio": ratio.plans,
    "layer": layers.plans,
    "si_layer": layers.plans,
    "pq": heat_map.plans,
    "errors": errors.plans,
}


@dataclass(frozen=True)
class Alias:
    """A figure of the paper: its kinds, and what it is drawn of where nothing else is asked for."""

    kinds: tuple[str, ...]
    dataset: tuple[str, ...] = ("cifar10",)
    model: tuple[str, ...] = ("cnn",)
    scope: tuple[str, ...] | None = ("global",)
    method: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_SAP_ONLY = (SAP.short,)
ALIASES = {
    "fig2": Alias(("prune", "pruned")),
    "fig3": Alias(("ratio", "layer", "si_layer"), scope=None, method={"layer": _SAP_ONLY, "si_layer": _SAP_ONLY}),
    "fig4": Alias(("p", "q")),
    "fig5": Alias(("eta", "gamma")),
    "readme": Alias(("prune", "pruned"), model=("resnet18",)),
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
    for name in settings.figure:
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
    values = {key: getattr(settings, key) or defaults.get(key) for key in ("dataset", "model", "scope", "method")}
    if unknown := set(values["scope"] or ()) - set(SCOPES):
        raise UserError(f"scope={','.join(sorted(unknown))} is not known; choose from {', '.join(SCOPES)}")
    chosen = Filter(values["scope"] or SCOPES, values["method"])
    return Request(kind, values["dataset"], values["model"], chosen)
