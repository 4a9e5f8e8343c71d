"""What a run tells the outside world while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from src.tracking.metrics import Value


class Tracker(Protocol):
    """Mirror of one trajectory's records. No method raises, waits for a network for long, or returns anything."""

    def log_iteration(self, row: Mapping[str, Value], layers: Sequence[Mapping[str, Any]]) -> None:
        """A row of iterations.csv and the rows of layers.csv that belong to it; known iterations are skipped."""

    def log_epoch(self, row: Mapping[str, Value]) -> None:
        """A row of epochs.csv; known epochs are skipped."""

    def log_records(self, iterations_csv: Path) -> None:
        """The whole iterations.csv, as a table."""

    def log_figures(self, figures: Sequence[Path]) -> None:
        """Pictures (.png or .jpg; others are left out)."""

    def finish(self, status: str) -> None:
        """End of the run; `status` as in run.json: "finished", or anything else for a failure."""


class NoTracker:
    """Tells nobody."""

    def log_iteration(self, row: Mapping[str, Value], layers: Sequence[Mapping[str, Any]]) -> None: ...

    def log_epoch(self, row: Mapping[str, Value]) -> None: ...

    def log_records(self, iterations_csv: Path) -> None: ...

    def log_figures(self, figures: Sequence[Path]) -> None: ...

    def finish(self, status: str) -> None: ...
