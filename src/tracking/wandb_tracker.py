"""A trajectory mirrored to Weights & Biases."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from src.files import parsed, read_rows, write_text
from src.records.schema import CONFIG_FILE, ITERATIONS_FILE, MASKS_FILE, NETWORKS_FILE, RUN_FILE
from src.tracking import wandb_run
from src.tracking.metrics import OBJECTIVE, Value, axes, named, summarised
from src.tracking.tracker import RunInfo, Tracker
from src.tracking.wandb_run import answers, begin, first_line, offline_line, reachable, unreachable

log = logging.getLogger(__name__)

SURE_S = 30.0
"""W&B writes what it was sent within 15 s; what is younger is sent again after a kill."""


def opened(info: RunInfo, online: bool, again: bool = True) -> Tracker:
    """The tracker of one run, of another that tells nobody where W&B is disabled or does not start.

    `again`: once more, offline, where W&B's own process has ended.
    """
    try:
        untold = info.untold
        untold.parent.mkdir(parents=True, exist_ok=True)
        untold.touch()
        asked = wandb_run.prepare()
        if asked == "disabled":
            untold.unlink()
            with suppress(OSError):
                untold.parent.rmdir()
            return Tracker()
        return WandbTracker(info, online and asked not in ("offline", "dryrun"))
    except Exception as error:  # W&B is a mirror: a run does not depend on it
        if again and wandb_run.has_ended(error):
            wandb_run.begin_anew()
            return opened(info, online=False, again=False)
        log.warning(f"Weights & Biases does not start ({first_line(error)}); the run goes on without it")
        return Tracker()


class WandbTracker(Tracker):
    """One W&B run per trajectory.

    W&B's own step counts epochs and iterations, so that a row logged again after a resume is known as such and the
    offline parts of one run fit together; no curve is drawn against it.
    """

    def __init__(self, info: RunInfo, online: bool) -> None:
        self._epochs = int(info.config["trainer"]["epochs"])
        self._told = False
        self._rows: dict[int, Mapping[str, Value]] = {}
        self._untold = info.untold
        self._run = begin(info, online)
        self._info = replace(info, run_id=self._run.id)  # an agent of W&B's has its own
        self._sent: deque[tuple[float, int]] = deque()
        self._marker = info.folder / "wandb" / f"{self._run.id}.step"
        self._last_step = self._run.step - 1 if not self._run.offline else _read_step(self._marker)
        for name, x in axes().items():
            self._run.define_metric(name, step_metric=x)
        if info.difference:
            self._try(lambda: self._save_difference(info.folder / "wandb"))

    def log_iteration(self, row: Mapping[str, Value], layers: Sequence[Mapping[str, Any]]) -> None:
        self._rows[int(row["iteration"] or 0)] = row
        percent = float(self._info.config.get(OBJECTIVE, 10))
        self._try(lambda: self._run.summary.update(summarised(self._rows.values(), percent)))
        values = named("iterations", row)
        for layer in layers:
            values |= named("layers", layer, layer=str(layer["layer"]))
        self._log(values, self._first_step(row) + self._epochs)

    def log_epoch(self, row: Mapping[str, Value]) -> None:
        iteration, epoch = int(row["iteration"] or 0), int(row["epoch"] or 0)
        trained = {"epochs_trained": iteration * self._epochs + epoch + 1}
        self._log(named("epochs", {**row, **trained}), self._first_step(row) + epoch)

    def log_records(self, iterations_csv: Path) -> None:
        def table() -> dict[str, Any]:
            import wandb

            rows = [parsed(row) for row in read_rows(iterations_csv)]
            if not rows:
                raise FileNotFoundError(iterations_csv)
            return {"records": wandb.Table(columns=list(rows[0]), data=[list(row.values()) for row in rows])}

        if not self._waits_in_vain():
            self._try(lambda: self._send(table(), self._last_step + 1))

    def log_figures(self, figures: Sequence[Path]) -> None:
        def images() -> dict[str, Any]:
            import wandb

            pictures = [figure for figure in figures if figure.suffix in {".png", ".jpg"}]
            return {f"figures/{picture.stem}": wandb.Image(str(picture)) for picture in pictures}

        self._try(lambda: self._send(images(), self._last_step + 1))

    def log_network(self, folder: Path) -> None:
        kept = self._info.config.get("tracking", {}).get("artifact", "online")
        if not self._waits_in_vain() and (kept == "always" or (kept == "online" and not self._run.offline)):
            self._try(lambda: self._log_artifact(folder))

    def _log_artifact(self, folder: Path) -> None:
        """The files that restore the networks; masks are those of the last iteration, a byte per weight."""
        import wandb

        from src.library.masks import Masks
        from src.records.masks import read_masks

        artifact = wandb.Artifact(f"network-{self._info.run_id}", type="model", metadata={"run": self._info.name})
        for name in (NETWORKS_FILE, CONFIG_FILE, RUN_FILE, ITERATIONS_FILE):
            if (folder / name).exists():
                artifact.add_file(str(folder / name), policy="immutable", skip_cache=True)
        if (folder / MASKS_FILE).exists():
            masks = read_masks(folder)
            last = max(int(name.split("/", 1)[0].removeprefix("iteration_")) for name in masks)
            prefix = f"iteration_{last}/"
            path = folder / "wandb" / f"{self._info.run_id}-{MASKS_FILE}"
            Masks({key.removeprefix(prefix): m for key, m in masks.items() if key.startswith(prefix)}).save(path)
            artifact.add_file(str(path), name=MASKS_FILE, policy="immutable", skip_cache=True)
        uploaded = self._run.log_artifact(artifact)
        if not self._run.offline:
            # For its end W&B has less time.
            uploaded.wait(math.ceil(wandb_run.upload_limit_s(folder / NETWORKS_FILE, folder / MASKS_FILE)))

    def finish(self, status: str) -> None:
        if self._waits_in_vain():  # W&B itself tries once more at exit, for all such runs together
            self._tell(offline_line(self._info, "no connection a moment ago"))
        else:
            self._try(lambda: self._end(status))

    def _end(self, status: str) -> None:
        file = Path(self._run.settings.sync_file)
        size = _size(file)
        self._run.finish(exit_code=0 if status == "finished" else 1)
        self._untold.unlink(missing_ok=True)
        for _ in range(100):  # offline, W&B's own process writes its file after this
            if not self._run.offline or _size(file) > size:
                self._mark(math.inf)
                break
            time.sleep(0.01)

    def _save_difference(self, folder: Path) -> None:
        """How the code differs from its commit, as a file of the run."""
        path = write_text(folder / "difference.patch", self._info.difference)
        self._run.save(str(path), base_path=str(folder), policy="now")

    def _first_step(self, row: Mapping[str, Value]) -> int:
        return int(row["iteration"] or 0) * (self._epochs + 1)

    def _log(self, values: dict[str, float | int], step: int) -> None:
        if step > self._last_step:
            self._try(lambda: self._send(values, step))

    def _send(self, values: Mapping[str, Any], step: int) -> None:
        if values:
            self._run.log(values, step=step, commit=True)
            self._last_step = step
            self._sent.append((time.monotonic(), step))
            self._mark(time.monotonic() - SURE_S)

    def _mark(self, until: float) -> None:
        """Remember the last step that W&B, which writes in a process of its own, has surely written of those sent."""
        sure = None
        while self._sent and self._sent[0][0] <= until:
            sure = self._sent.popleft()[1]
        if sure is not None:
            write_text(self._marker, str(sure))

    def _waits_in_vain(self) -> bool:
        return not self._run.offline and not reachable()

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # a mirror: whatever befalls it, the run goes on and its records are on disk
            what = f"{type(error).__name__}: {first_line(error)}"
            if not self._run.offline and not (reachable() and answers(self._run.settings.base_url)):
                unreachable()
                self._tell(offline_line(self._info, what))
            else:
                self._tell(f"Weights & Biases misses a part of this run ({what}); its own records are complete")

    def _tell(self, message: str) -> None:
        if not self._told:
            log.warning(message)
        self._told = True


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read_step(marker: Path) -> int:
    """Last step that was logged, by any part of the run; -1 for none."""
    try:
        return int(marker.read_text())
    except (FileNotFoundError, ValueError):
        return -1
