"""What a run tells the outside world while it goes on, and to whom."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src.tracking.metrics import Value

log = logging.getLogger(__name__)

GROUP = "WANDB_RUN_GROUP"
"""Variable that names the group of runs without an experiment; a sweep sets it."""
ENVIRONMENT_MODES = {"online": "wandb", "run": "wandb", "shared": "wandb", "offline": "offline", "dryrun": "offline"}

UNTOLD = ".untold"
"""Suffix of the file in a run's folder wandb that is there until W&B has been told of the run's end."""


@dataclass(frozen=True)
class RunInfo:
    """What Weights & Biases is told of a run, and that it keeps its files in `folder`/wandb.

    `run_id` is the same for all parts of a resumed run, which go on in the same one; `config` is the nested
    config.yaml; `difference` is how the code differs from its commit.
    """

    run_id: str
    name: str
    group: str | None
    tags: Sequence[str]
    config: Mapping[str, Any]
    folder: Path
    project: str
    entity: str | None
    difference: str = ""

    @property
    def untold(self) -> Path:
        """The file that is there until W&B has been told of the run's end."""
        return self.folder / "wandb" / f"{self.run_id}{UNTOLD}"


class Tracker:
    """Mirror of one trajectory's records; this one tells nobody.

    No method raises, waits for a network for long, or returns anything.
    """

    def log_iteration(self, row: Mapping[str, Value], layers: Sequence[Mapping[str, Any]]) -> None:
        """A row of iterations.csv and the rows of layers.csv that belong to it; known iterations are skipped."""

    def log_epoch(self, row: Mapping[str, Value]) -> None:
        """A row of epochs.csv; known epochs are skipped."""

    def log_records(self, iterations_csv: Path) -> None:
        """The whole iterations.csv, as a table."""

    def log_figures(self, figures: Sequence[Path]) -> None:
        """Pictures (.png or .jpg; others are left out)."""

    def log_network(self, folder: Path) -> None:
        """The final network and its masks, of a run's folder of records, where they are uploaded."""

    def finish(self, status: str) -> None:
        """End of the run; `status` as in run.json: "finished", or anything else for a failure."""


def open_tracker(mode: str, info: RunInfo) -> Tracker:
    """Tracker of one trajectory.

    `mode`: "wandb" (online where possible, else offline), "offline" or "none"; the variable WANDB_MODE has the last
    word unless it is "none".
    """
    mode = effective_mode(mode)
    if mode == "none":
        return Tracker()
    import wandb  # noqa: F401, by this thread: two that import at the same time may meet half a module

    from src.tracking.background import Background
    from src.tracking.wandb_tracker import opened

    return Background(lambda: opened(info, online=mode == "wandb"))


def effective_mode(mode: str) -> str:
    """`mode`, with the variable WANDB_MODE taken into account."""
    asked = os.environ.get("WANDB_MODE", "").lower()
    if mode == "none" or asked == "disabled":
        return "none"
    return ENVIRONMENT_MODES.get(asked, mode)


def is_untold(mode: str, folder: Path) -> bool:
    """Whether W&B has not heard of a finished run to its end, or is an agent's, which waits for the run that it began.

    `mode` as in `open_tracker`; `folder` is the run's.
    """
    heard = "WANDB_SWEEP_ID" not in os.environ and not any((folder / "wandb").glob(f"*{UNTOLD}"))
    return effective_mode(mode) != "none" and not heard
