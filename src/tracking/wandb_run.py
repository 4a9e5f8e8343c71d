"""Begin a Weights & Biases run: online where that works, otherwise offline, never with a question or a long wait."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from ssl import SSLError
from typing import Any, Literal

from src.config.part import cut_name
from src.config.schema import TrackingConfig
from src.records.provenance import without_secrets
from src.tracking.tracker import GROUP, RunInfo

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 3.0
INIT_TIMEOUT_S = 20.0
FINISH_TIMEOUT_S = 20.0
RETRY_AFTER_S = 600.0

SLOWEST = 100_000.0
"""Bytes a second; a network that takes less for an upload has no time for it."""

_online_again_at = 0.0


def prepare() -> str:
    """Start W&B's own process; the mode that the user asks of W&B itself: by WANDB_MODE, `wandb offline` and such."""
    # W&B's own usage reports wait for the network when the process ends.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    if f"-{os.getpid()}-" not in os.environ.get("WANDB_SERVICE", ""):
        # The service of the process that started this one would keep a killed run's id in use for as long as it lives.
        os.environ.pop("WANDB_SERVICE", None)
    import wandb

    return str(wandb.setup(settings=wandb.Settings(silent=True)).settings.mode)


def begin(info: RunInfo, online: bool) -> Any:
    """The `wandb.Run`, with its files in `info.folder`/wandb; falls back to offline and says how to upload."""
    import wandb

    info.folder.mkdir(parents=True, exist_ok=True)
    reason = _why_offline() if online else ""
    if online and not reason:
        try:
            return _init(info, "online")
        except wandb.Error as error:
            reason = first_line(error)
            with suppress(Exception):
                _free(os.environ.get("WANDB_RUN_ID", info.run_id) if "WANDB_SWEEP_ID" in os.environ else info.run_id)
    run = _init(info, "offline")
    info = replace(info, run_id=run.id)
    if _together is None:
        log.info(offline_line(info, reason))
    elif not _told:
        log.info(offline_line(info, reason, _together))
        _told.append(_together)
    return run


def _free(run_id: str) -> None:
    """End a run that failed to begin, and no other: it keeps its id in use."""
    import wandb

    service = wandb.setup().assert_service()
    _, interface = service.inform_attach(run_id)
    interface.deliver_exit(1).wait_or(timeout=FINISH_TIMEOUT_S)  # without this W&B's process would wait for ever
    service.inform_finish(run_id=run_id)


def begin_anew() -> None:
    """Leave W&B's own process, which has ended; the next `prepare` starts another."""
    import wandb

    with suppress(Exception):
        wandb.teardown()


def has_ended(error: Exception) -> bool:
    """Whether this is what W&B raises where its own process has ended."""
    from wandb.sdk.mailbox import HandleAbandonedError, MailboxClosedError

    return isinstance(error, (HandleAbandonedError, MailboxClosedError, ConnectionError))


def destination(project: str, entity: str | None) -> tuple[str, str | None]:
    """Project and entity of W&B: its variables and its settings file count where ours are left at their defaults."""
    import wandb

    asked = wandb.setup().settings
    chosen = project if project != TrackingConfig.project else asked.project or project
    return chosen, entity or asked.entity


_together: Path | None = None
"""The folder of a sweep's runs, where one line tells how all are uploaded."""
_told: list[Path] = []


def upload_together(runs: Path | None) -> None:
    """From now on runs are of a sweep, with their folders in this one; None: each is told for itself."""
    global _together
    _together = runs
    _told.clear()


def reachable() -> bool:
    """False for a while after Weights & Biases did not answer: a sweep waits once, not for each of its runs."""
    return time.monotonic() >= _online_again_at


def unreachable() -> None:
    """Remember that Weights & Biases did not answer."""
    global _online_again_at
    _online_again_at = time.monotonic() + RETRY_AFTER_S


def offline_line(info: RunInfo, reason: str, runs: Path | None = None) -> str:
    """The one line that tells why a run is offline and how to upload it, or all runs in a folder.

    `info.run_id` is the id that W&B knows.
    """
    folder = info.folder / "wandb" if runs is None else runs
    begun_online = any(folder.glob(f"run-*-{info.run_id}" if runs is None else "*/wandb/run-*"))
    if folder.is_absolute() and folder.is_relative_to(Path.cwd()):
        folder = folder.relative_to(Path.cwd())
    login = "wandb login && " if "logged in" in reason else ""
    command = f"{login}wandb sync {'--include-online ' if begun_online else ''}"
    together = f"*/wandb/{'*run-*' if begun_online else 'offline-run-*'}"
    parts = f"{shlex.quote(str(folder))}/{f'*-{info.run_id}' if runs is None else together}"
    what = "this run" if runs is None else "all runs"
    return f"Weights & Biases is offline{f' ({reason})' if reason else ''}; to upload {what}: {command}{parts}"


def _why_offline() -> str:
    """Empty where Weights & Biases knows the user and answers."""
    import wandb

    if not reachable():
        return "no connection a moment ago"
    try:
        # Asks nothing, and unlike an attempt to begin a run, a failed one leaves no trace behind.
        if not wandb.login(prompt=False, verify=False):
            return "not logged in"
        if not answers(wandb.setup().settings.base_url):
            unreachable()
            return "no connection"
        return "" if wandb.login(prompt=False, verify=True) else "not logged in"
    except wandb.Error as error:
        if not answers(wandb.setup().settings.base_url):
            unreachable()
        return first_line(error)


def answers(url: str) -> bool:
    """Whether a server answers, whatever it says: W&B's own login waits 10 s for one that does not."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    try:
        urlopen(url, timeout=ANSWER_TIMEOUT_S).close()
    except HTTPError:
        return True
    except URLError as error:
        return isinstance(error.reason, SSLError)  # W&B has certificates of its own
    except (OSError, HTTPException):
        return False
    return True


def upload_limit_s(*files: Path) -> float:
    """Seconds that an upload of these files may take; those that are not there do not count."""
    return FINISH_TIMEOUT_S + sum(file.stat().st_size for file in files if file.exists()) / SLOWEST


def _init(info: RunInfo, mode: Literal["online", "offline"]) -> Any:
    import wandb

    project, entity = destination(info.project, info.entity)
    words, sys.argv = sys.argv, without_secrets(sys.argv)  # which W&B records
    try:
        return wandb.init(
            mode=mode,
            id=info.run_id,
            resume="allow",
            name=cut_name(info.name, 128),
            group=cut_name(info.group or os.environ.get(GROUP, ""), 128) or None,
            job_type="prune",
            tags=[cut_name(tag, 64) for tag in info.tags],
            config=dict(info.config),
            dir=str(info.folder),
            project=project,
            entity=entity,
            reinit="create_new",
            settings=wandb.Settings(
                console="wrap",
                silent=True,
                init_timeout=INIT_TIMEOUT_S,
                finish_timeout=FINISH_TIMEOUT_S,
                finish_timeout_raises=True,
            ),
        )
    finally:
        sys.argv = words


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its class where it has none."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
