"""Where runs stand.

python -m src.status experiment=main_text
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from src.errors import UserError, message
from src.sweeps.compose import Composer, hydra_with, search_path
from src.sweeps.disk import size, unneeded
from src.sweeps.jobs import MISTAKES, jobs_of
from src.sweeps.progress import Progress, State, progress, stored
from src.sweeps.report import Report, bytes_text, plural, report, show
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
    try:
        asked = _parsed(arguments)
        if asked.help:
            show(HELP)
            return 0
        found = _report(asked.words, asked.config_dir, asked.prune)
    except MISTAKES as error:
        print(f"error: {message(error)}", file=sys.stderr)
        return 1
    show(json.dumps(found.data(), indent=2) if asked.json else found.text())
    return int(bool(found.bad) or any(run.state == State.failed for run in found.runs))


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    for flag in ("--json", "--prune"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")  # of src.main, and said of its sweeps here anyway
    parser.add_argument("-cd", "--config-dir")
    try:
        asked, words = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError(message(error)) from error
    if flags := [word for word in words if word.startswith("-")]:
        raise UserError(f"{flags[0]} is not known; flags: --config-dir FOLDER, --json, --prune")
    asked.words = words
    return asked


def _report(words: list[str], config_dir: str | None, prune: bool) -> Report:
    """On the runs that the words stand for, or on all that are in the output folder."""
    if all(word.startswith("output_dir=") for word in words):
        with hydra_with(config_dir):
            output_dir = Path(Composer([*search_path(config_dir)], config_dir).settings(tuple(words)).output_dir)
        runs, bad = stored(output_dir), []
    else:
        sweep = Sweep(jobs_of(words, config_dir))
        output_dir, runs, bad = sweep.output_dir, [progress(job.run) for job in sweep.jobs], sweep.bad
    if prune:
        _prune(output_dir, runs)
    return report(runs, output_dir, bad)


def _prune(output_dir: Path, runs: Sequence[Progress]) -> None:
    """List and remove what none of the runs asked for, and none of the others that are there, refers to."""
    known = {run.name for run in runs}
    everyone = [*runs, *(run for run in stored(output_dir) if run.name not in known)]
    files = {path: size(path) for path in unneeded(output_dir, everyone)}
    for path, bytes_freed in files.items():
        print(f"{path}  {bytes_text(bytes_freed)}", file=sys.stderr)
        path.unlink(missing_ok=True)
    print(f"removed {plural(len(files), 'file')}, {bytes_text(sum(files.values()))}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
