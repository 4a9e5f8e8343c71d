"""A program that mirrors runs one after the other: FOLDER TIMEOUT_S RUN_ID:ITERATIONS ..."""

import logging
import sys
import time
from pathlib import Path

import wandb  # noqa: F401, which takes its time

from src.tracking import wandb_run
from src.tracking.tracker import open_tracker
from tests.tracking.examples import ROWS, info, layers, write_iterations


def main(folder: Path, timeout_s: float, *runs: str) -> None:
    folder.mkdir(exist_ok=True)
    wandb_run.INIT_TIMEOUT_S, wandb_run.FINISH_TIMEOUT_S = timeout_s, timeout_s
    for run in runs:
        run_id, iterations = run.split(":")
        started = time.monotonic()
        tracker = open_tracker("wandb", info(folder, run_id=run_id))
        logging.info("opened %s in %.1f s", run_id, time.monotonic() - started)
        for row in ROWS[: int(iterations)]:
            tracker.log_iteration(row, layers(row["iteration"]))
        tracker.log_records(write_iterations(folder / "iterations.csv"))
        tracker.log_network(folder)
        tracker.finish("finished")
    logging.info("the job is done")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    main(Path(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
