"""Where runs stand.

python -m src.status experiment=main_text
"""

import json
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from src.config.command_line import run_command
from src.errors import UserError, message
from src.sweeps.compose import Composer, hydra_with, parsed, search_path
from src.sweeps.jobs import MISTAKES, jobs_of
from src.sweeps.report import Report, bytes_text, plural, report, size
from src.sweeps.standing import Standing, State, standing, stored
from src.sweeps.sweep import Sweep

HELP = """Where runs stand, what is left to train, how long that takes at the measured rate, and the disk used.

Use:  python -m src.status [KEY=VALUE ...] [--config-dir FOLDER] [--json] [--prune]

  KEY=VALUE     as for src.main, for the runs of that command: experiment=main_text seed=0
                none, or only output_dir: all runs that there are
  --config-dir  your own folder of choices, as for src.main
  --json        for scripts
  --prune       list and remove the trainings and left-overs that no run here needs to go on; no records are touched
"""


def main(arguments: Sequence[str]) -> int:
    """The command line; its exit status: 0, or 1 where the command has a mistake or a run has failed."""
    return run_command(arguments, HELP, _told)


def _told(arguments: Sequence[str]) -> int:
    asked = parsed(arguments, "--json", "--prune")
    try:
        found = _report(asked.words, asked.config_dir, asked.prune)
    except MISTAKES as error:
        raise UserError(message(error)) from None
    print(json.dumps(found.data(), indent=2) if asked.json else found.text())
    return int(bool(found.bad) or any(run.state == State.failed for run in found.runs))


def _report(words: list[str], config_dir: str | None, prune: bool) -> Report:
    """On the runs that the words stand for, or on all that are in the output folder."""
    if all(word.startswith("output_dir=") for word in words):
        with hydra_with(config_dir):
            output_dir = Path(Composer([*search_path(config_dir)], config_dir).settings(tuple(words)).output_dir)
        runs, bad = stored(output_dir), []
    else:
        sweep = Sweep(jobs_of(words, config_dir))
        output_dir, runs, bad = sweep.output_dir, [standing(job.run) for job in sweep.jobs], sweep.bad
    if prune:
        _prune(output_dir, runs)
    return report(runs, output_dir, bad)


def _prune(output_dir: Path, runs: Sequence[Standing]) -> None:
    """List and remove what none of the runs asked for, and none of the others that are there, refers to."""
    known = {run.name for run in runs}
    everyone = [*runs, *(run for run in stored(output_dir) if run.name not in known)]
    files = {path: size(path) for path in unneeded(output_dir, everyone)}
    for path, bytes_freed in files.items():
        print(f"{path}  {bytes_text(bytes_freed)}", file=sys.stderr)
        path.unlink(missing_ok=True)
    print(f"removed {plural(len(files), 'file')}, {bytes_text(sum(files.values()))}", file=sys.stderr)


def unneeded(output_dir: Path, runs: Sequence[Standing]) -> list[Path]:
    """Files that none of `runs` refers to: trainings, their checkpoints, and parts of interrupted writes.

    An unfinished run refers to the trainings with its settings that it has not recorded, and to that of iteration 0,
    which later masks and starting states may come from. What cannot be told is kept while any run is unfinished; so
    are parts while one is running.
    """
    busy = any(run.state == State.running for run in runs)
    folders = [] if busy else [output_dir / "runs", output_dir / "trainings"]
    parts = sorted(path for folder in folders for path in folder.rglob(".*.part"))
    trainings = sorted((output_dir / "trainings").rglob("[!.]*.safetensors"))
    unfinished = [run for run in runs if not run.finished]
    return [*parts, *(path for path in trainings if not _is_referred_to(path, unfinished))]


def _is_referred_to(training: Path, unfinished: Sequence[Standing]) -> bool:
    spec, iteration = _about(training) or (None, 0)
    return any(
        None in (spec, run.spec) or (spec == run.spec and (iteration == 0 or iteration >= run.done))
        for run in unfinished
    )


def _about(training: Path) -> tuple[str, int] | None:
    """The settings' hash and the iteration that the header of a training's file tells; None where it does not."""
    try:
        with training.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            meta = json.loads(json.loads(file.read(length))["__metadata__"]["json"])
        meta = meta.get("members", {}).get(training.name.partition(".")[0], meta)
        return str(meta["spec"]), int(meta["iteration"])
    except (OSError, KeyError, ValueError, struct.error):
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
