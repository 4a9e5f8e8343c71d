"""Which tracker a run gets."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.tracking.tracker import NoTracker, Tracker

log = logging.getLogger(__name__)

MODES = ("wandb", "offline", "none")
ENVIRONMENT_MODES = {"online": "wandb", "run": "wandb", "shared": "wandb", "offline": "offline", "dryrun": "offline"}


def open_tracker(
    mode: str,
    *,
    run_id: str,
    name: str,
    group: str | None,
    tags: Sequence[str],
    config: Mapping[str, Any],
    folder: Path,
    project: str,
    entity: str | None,
) -> Tracker:
    """Tracker of one trajectory.

    `mode`: "wandb" (online where possible, else offline), "offline" or "none"; the variable WANDB_MODE has the last
    word unless it is "none". `run_id` names the W&B run, so that a resumed trajectory goes on in the same one;
    `config` is the nested config.yaml; W&B keeps its files in `folder`/wandb. Raises UserError for an unknown mode.
    """
    mode = effective_mode(mode)
    if mode == "none":
        return NoTracker()
    from src.tracking.wandb_run import RunInfo
    from src.tracking.wandb_tracker import WandbTracker

    info = RunInfo(run_id, name, group, tags, config, folder, project, entity)
    try:
        return WandbTracker(info, online=mode == "wandb")
    except Exception as error:  # W&B is a mirror: a run does not depend on it
        log.warning(f"Weights & Biases does not start ({error}); the run goes on without it")
        return NoTracker()


def effective_mode(mode: str) -> str:
    """One of MODES, with the variable WANDB_MODE taken into account."""
    if mode not in MODES:
        raise UserError(f"tracking.mode={mode}: allowed are {', '.join(MODES)}")
    asked = os.environ.get("WANDB_MODE", "").lower()
    if mode == "none" or asked == "disabled":
        return "none"
    return ENVIRONMENT_MODES.get(asked, mode)
