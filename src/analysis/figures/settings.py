"""Arguments of `python -m src.figures`."""

from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any, get_type_hints

from src.analysis.figures.readings import RatioScale, Reading, reading_named
from src.analysis.settings import RecordSettings

FORMATS = ("pdf", "svg", "png")
_CHOICES = [(choice.name, get_type_hints(Reading)[choice.name] | None, None) for choice in fields(Reading)]
PlotOptions = make_dataclass("PlotOptions", _CHOICES)
"""Single reporting choices (PROTOCOL 7.B), as of `Reading`; what is not given is the reading's."""


@dataclass(frozen=True)
class FigureSettings(RecordSettings):
    """What to draw, of which records, how, and where to; None takes all."""

    figure: tuple[str, ...] = ("all",)
    scope: tuple[str, ...] | None = None
    method: tuple[str, ...] | None = None
    reading: str = "corrected"
    style: str = "default"
    overlay: bool = False
    incomplete: str = "error"
    formats: tuple[str, ...] = FORMATS
    workers: int | None = None
    plot: Any = field(default_factory=PlotOptions)

    def resolved_reading(self) -> Reading:
        """The reading's preset with the choices of `plot` put on it; the default style's trade-off has a log axis."""
        chosen = self._choices()
        if self.style == "default" and self.reading == "corrected":
            chosen.setdefault("ratio_x", RatioScale.log)
        return Reading(**{**vars(reading_named(self.reading)), **chosen})

    @property
    def takes_all(self) -> bool:
        """Whether everything that there are records of is drawn."""
        return "all" in self.figure

    @property
    def plot_words(self) -> list[str]:
        """`key=value` of the single choices."""
        return [f"{key}={str(value).lower()}" for key, value in self._choices().items()]

    @property
    def marks(self) -> tuple[str, ...]:
        """What the names of files say beyond the figure: the choices that are not the defaults."""
        return (*[self.reading] * (self.reading != "corrected"), *self.plot_words)

    def _choices(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self.plot).items() if value is not None}
