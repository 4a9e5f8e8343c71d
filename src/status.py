"""Where runs stand.

python -m src.status experiment=main_text trainer=quick
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from src.errors import UserError, message
from src.experiments.compose import jobs_of
from src.experiments.jobs import BadJob
from src.status.disk import disk, size, unneeded
from src.status.report import Report, bytes_text
from src.status.standing import Standing, Status, standings, stored
from src.status.work import measured_rates, work

HELP = """Where runs stand, what is left to train, how long that takes at the measured rate, and the disk used.

Use:  python -m src.status [KEY=VALUE ...] [--json] [--prune]

  KEY=VALUE   as for src.main, for the runs of that command: experiment=main_text trainer=quick seed=0
              none, or only output_dir: all runs that there are
  --json      for scripts
  --prune     remove trainings and left-overs that none of these runs needs to go on; no records are touched
"""
FLAGS = ("--json", "--prune")


def main(arguments: Sequence[str]) -> int:
    """The command line; its exit status: 0, or 1 where the command has a mistake or a run has failed."""
    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return 0
    try:
        words = [word for word in arguments if word not in FLAGS]
        if flags := [word for word in words if word.startswith("--")]:
            raise UserError(f"{flags[0]} is not known; flags: {', '.join(FLAGS)}")
        output_dir, runs = _runs(words)
        if "--prune" in arguments:
            _prune(output_dir, runs)
        whole = work(runs, from_start=True) if all(run.job for run in runs) else None
        report = Report(runs, whole, work(runs), measured_rates(output_dir), disk(output_dir, runs))
    except (UserError, HydraException, OmegaConfBaseException) as error:
        print(f"error: {message(error)}", file=sys.stderr)
        return 1
    print(json.dumps(report.data(), indent=2) if "--json" in arguments else report.text())
    return int(any(run.status == Status.failed for run in runs))


def _runs(words: list[str]) -> tuple[Path, list[Standing]]:
    """The output folder, and the runs that the words stand for, or all that are in it."""
    if all(word.startswith("output_dir=") for word in words):
        output_dir = Path(words[-1].removeprefix("output_dir=") if words else "outputs")
        return output_dir, stored(output_dir)
    jobs = jobs_of(words)
    for job in jobs:
        if isinstance(job, BadJob):
            raise UserError(f"{' '.join(job.words)}: {job.reason}")
    runs = standings(jobs)
    return runs[0].folder.parents[1], runs


def _prune(output_dir: Path, runs: Sequence[Standing]) -> None:
    """Remove what none of the runs asked for, and none of the others that are there, needs."""
    known = {run.name for run in runs}
    everyone = [*runs, *(run for run in stored(output_dir) if run.name not in known)]
    files = unneeded(output_dir, everyone)
    freed = sum(size(path) for path in files)
    for path in files:
        path.unlink(missing_ok=True)
    print(f"removed {len(files)} files, {bytes_text(freed)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
