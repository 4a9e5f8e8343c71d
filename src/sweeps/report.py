"""What the status says, as text and as data."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.config.command_line import command, setting_word
from src.files import read_rows
from src.records.schema import ITERATIONS_FILE
from src.records.timings import LESS, SHORT_EPOCHS, Rate, Setting, duration, measured_rates
from src.run import Run
from src.sweeps.jobs import BadJob
from src.sweeps.standing import Standing, Work, by_state, standing, work

SHOWN = 40
"""Runs up to which a sweep ends with a table of them."""
ENDS = ("retrained_accuracy", "percent_remaining", "retrained_pqi")


@dataclass(frozen=True)
class Report:
    """The runs asked for, the impossible ones among them, their trainings, those left, the rates, and the disk used.

    whole: None where the runs' folders do not tell; disk: bytes of the records of these runs, and of all trainings kept
    to go on with runs and to share.
    """

    runs: Sequence[Standing]
    bad: Sequence[BadJob]
    whole: Work | None
    left: Work
    rates: Mapping[Setting, Rate]
    disk: Mapping[str, int]

    def text(self) -> str:
        """For people: a line per run that is not finished, then the sums."""
        width = max((len(run.name) for run in self.runs), default=0)
        lines = [f"{run.name:{width}}  {_standing(run)}" for run in self.runs if not run.finished]
        lines += [f"impossible: {' '.join(job.words)}: {indented(job.reason)}" for job in self.bad]
        counts = [f"{count} {state}" for state, count in by_state(self.runs).items() if count]
        counts += [f"{len(self.bad)} impossible"] * bool(self.bad)
        lines.append(f"{plural(len(self.runs) + len(self.bad), 'run')}{': ' * bool(counts)}{', '.join(counts)}")
        if self.whole:
            lines.append(f"all of them: {_amount(self.whole)}")
        lines.append(f"left to do:  {_amount(self.left)}")
        lines += _times(self.left, self.rates)
        records, trainings = bytes_text(self.disk["records"]), bytes_text(self.disk["trainings"])
        lines.append(f"disk: {records} of records, {trainings} of trainings kept to go on and to share")
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """For scripts: the same as JSON."""
        return {
            "runs": [_run_data(run) for run in self.runs],
            "impossible": [{"words": list(job.words), "reason": job.reason} for job in self.bad],
            "counts": {state.value: count for state, count in by_state(self.runs).items()},
            "all": self.whole.counts if self.whole else None,
            "left": {**self.left.counts, "seconds": self.left.seconds(self.rates)},
            "seconds_per_epoch": {_named(setting): rate.seconds for setting, rate in self.rates.items()},
            "disk_bytes": self.disk,
        }


def report(runs: Sequence[Standing], output_dir: Path, bad: Sequence[BadJob] = ()) -> Report:
    """The report of runs that are, or will be, in `output_dir`."""
    whole = work(runs, from_start=True) if all(run.epochs is not None for run in runs) else None
    disk = {"records": sum(size(run.folder) for run in runs), "trainings": size(output_dir / "trainings")}
    return Report(runs, bad, whole, work(runs), measured_rates(output_dir), disk)


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is nothing. Names of one file share its bytes."""
    if path.is_dir():
        with os.scandir(path) as entries:
            return sum(size(Path(entry)) if entry.is_dir() else _share(entry.stat()) for entry in entries)
    return _share(path.stat()) if path.exists() else 0


def _share(stat: os.stat_result) -> int:
    return stat.st_size // max(stat.st_nlink, 1)


def outlook(runs: Sequence[Run]) -> str:
    """The first line of a run or a sweep: what is left to train, how long that takes, and how to ask for less."""
    left = work([standing(run) for run in runs])
    seconds = left.seconds(measured_rates(runs[0].output_dir))
    trainers = sorted({(run.config.choices.get("trainer", ""), run.config.trainer.epochs) for run in runs})
    told = ", ".join(f"trainer={name}: {plural(epochs, 'epoch')} a training" for name, epochs in trainers)
    if not left.trainings:
        return f"{told}; nothing left to train"
    time = "in a time not known before an epoch is done here" if seconds is None else f"about {duration(seconds)} here"
    less = f"; for less: {LESS}" if any(epochs > SHORT_EPOCHS for _, epochs in trainers) else ""
    return f"{told}; at most {plural(len(left.trainings), 'training')} to do, {time}{less}"


def ends(runs: Sequence[Run]) -> str:
    """The last iteration of each run that is finished, a line each, at most SHOWN of them."""
    finished = [run for run in runs if standing(run).finished] if len(runs) <= SHOWN else []
    if not finished:
        return f"their numbers: {command('src.tables', [setting_word('output_dir', runs[0].output_dir)])}"
    lines = [f"accuracy  remaining    PQI  run, its folder in {runs[0].folder.parent}"]
    for run in finished:
        rows = read_rows(run.folder / ITERATIONS_FILE)
        accuracy, percent, pqi = (float(rows[-1][key] or "nan") if rows else float("nan") for key in ENDS)
        lines.append(f"{accuracy:6.2f} %  {percent:7.3g} %  {pqi:5.3f}  {run.name}")
    return "\n".join(lines)


def show(text: str) -> None:
    """Print; a reader that has gone, as `head`, is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python flushes at its end


def bytes_text(count: int) -> str:
    """Bytes with a decimal prefix.

    >>> bytes_text(999), bytes_text(1_500_000)
    ('999 B', '1.5 MB')
    """
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def indented(text: str) -> str:
    """Further lines of a text, so that they are seen to belong to its first."""
    return text.replace("\n", "\n    ")


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "run"), plural(2, "run")
    ('1 run', '2 runs')
    """
    return f"{count} {noun}{'s' * (count != 1)}"


def _standing(run: Standing) -> str:
    reason = f": {run.reason.splitlines()[0]}" if run.reason else ""
    return f"{run.state:11} {run.done:2} of {run.total} iterations{reason}"


def _run_data(run: Standing) -> dict[str, Any]:
    return {
        "name": run.name,
        "folder": str(run.folder),
        "status": run.state.value,
        "iterations_done": run.done,
        "iterations_total": run.total,
        "reason": run.reason,
    }


def _amount(work: Work) -> str:
    iterations, trainings, epochs = (plural(count, name[:-1]) for name, count in work.counts.items())
    return f"{iterations}, at most {trainings} with {epochs}"


def _times(left: Work, rates: Mapping[Setting, Rate]) -> Iterator[str]:
    """How long what is left takes, and what that is known from."""
    epochs = left.epochs
    known = [
        f"{_named(setting)} {rate.seconds:.3g} s ({rate.engine}, {rate.device})"
        for setting, rate in rates.items()
        if setting in epochs
    ]
    unknown = [_named(setting) for setting in epochs if setting is None or setting not in rates]
    seconds = left.seconds(rates)
    if epochs and seconds is not None:
        yield f"time left: {duration(seconds)} one after the other"
    if known:
        yield f"an epoch takes: {', '.join(known)}"
    if unknown:
        yield f"no epoch timed yet here: {', '.join(unknown)}"


def _named(setting: Setting | None) -> str:
    return "runs whose settings cannot be read" if setting is None else "-".join(setting[:2])
