"""Arguments of `python -m src.figures`: `key=value`, typed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.errors import UserError
from src.figures.readings import (
    Accuracy,
    CurvePq,
    DifferenceStd,
    FinalAccuracy,
    LayerPq,
    OneShotDifference,
    RatioAxes,
    RatioScale,
    Reading,
    RemainingStd,
    reading_named,
)
from src.figures.records import Selection

T = TypeVar("T")


@dataclass
class PlotOptions:
    """Single reporting choices (PROTOCOL 7.B); what is not given is the reading's."""

    accuracy: Accuracy | None = None
    ratio_axes: RatioAxes | None = None
    si_layer_pq: LayerPq | None = None
    legacy_overflow: bool | None = None
    pr_std: RemainingStd | None = None
    curve_pq: CurvePq | None = None
    diff_std: DifferenceStd | None = None
    ddof: int | None = None
    one_shot_difference: OneShotDifference | None = None
    ratio_x: RatioScale | None = None
    final_accuracy: FinalAccuracy | None = None


@dataclass
class FigureSettings:
    """What to draw, of which records, how, and where to. Values with commas are lists; null takes all."""

    figure: str = "all"
    dataset: str | None = None
    model: str | None = None
    scope: str | None = None
    method: str | None = None
    trainer: str | None = None
    protocol: str | None = None
    experiment: str | None = None
    seed: str | None = None
    reading: str = "corrected"
    style: str = "default"
    overlay: bool = False
    incomplete: str = "error"
    formats: str = "pdf,svg,png"
    output_dir: str = "outputs"
    destination: str | None = None
    workers: int | None = None
    plot: PlotOptions = field(default_factory=PlotOptions)

    def resolved_reading(self) -> Reading:
        """The reading's preset with the choices of `plot` put on it; the default style's trade-off has a log axis."""
        chosen = {key: value for key, value in vars(self.plot).items() if value is not None}
        if self.style == "default" and self.reading == "corrected":
            chosen.setdefault("ratio_x", RatioScale.log)
        return Reading(**{**vars(reading_named(self.reading)), **chosen})

    @property
    def takes_all(self) -> bool:
        """Whether everything that there are records of is drawn."""
        return "all" in (several(self.figure) or ())

    @property
    def marks(self) -> tuple[str, ...]:
        """What the names of files say beyond the figure: the choices that are not the defaults."""
        chosen = [f"{key}={value}" for key, value in vars(self.plot).items() if value is not None]
        return (*[self.reading] * (self.reading != "corrected"), *chosen)

    def selection(self) -> Selection:
        """The records asked for."""
        return Selection(**{key.name: several(getattr(self, key.name)) for key in fields(Selection)})


def several(text: str | None) -> tuple[str, ...] | None:
    """The values of a list with commas; None for none.

    >>> several("a, b"), several(None)
    (('a', 'b'), None)
    """
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def read_settings(schema: type[T], arguments: Sequence[str]) -> T:
    """Arguments `key=value` into a dataclass. Raises UserError for an unknown key or a value of the wrong type."""
    for argument in arguments:
        if "=" not in argument:
            raise UserError(f"argument {argument!r} is not key=value; see --help")
    base = OmegaConf.structured(schema)
    known = [str(key) for key in _flat_keys(OmegaConf.to_container(base))]
    for key in (argument.split("=", 1)[0] for argument in arguments):
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]}" if near else ""
            raise UserError(f"{key} is not a key{hint}. Keys: {', '.join(known)}")
    try:
        merged = OmegaConf.merge(base, OmegaConf.from_dotlist(list(arguments)))
        return OmegaConf.to_object(merged)  # type: ignore[return-value]
    except OmegaConfBaseException as error:
        raise UserError(f"{error.full_key}: {str(error).splitlines()[0]}") from error


def _flat_keys(values: Any, prefix: str = "") -> list[str]:
    return [
        name
        for key, value in values.items()
        for name in (_flat_keys(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"])
    ]
