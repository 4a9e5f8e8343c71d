"""What Weights & Biases is told of a run: by the process that makes it, or later, where that was stopped at its end."""

import logging
from collections.abc import Mapping
from typing import Any

from src.config.settings import settings_dict
from src.records.provenance import without_secrets
from src.records.schema import ITERATIONS_FILE, plain, read_status
from src.records.writer import RunFolder
from src.run import Run
from src.tracking.tracker import RunInfo, open_tracker

log = logging.getLogger(__name__)

TAGS = ("trainer", "protocol")
"""Groups whose choices are tags in Weights & Biases."""


def run_info(run: Run, summary: Mapping[str, Any], network: Mapping[str, Any], difference: str = "") -> RunInfo:
    """A run as Weights & Biases is told of it.

    `summary` is what `run.json` tells of it, `network` what is told of its network, `difference` how the code differs
    from its commit.
    """
    settings, tracking = run.config, run.config.tracking
    told = {
        "method": {**summary["method"], "label": plain(settings.prune.label)},
        "provenance": summary["provenance"],
        "network": network,
    }
    made_with = filter(None, map(settings.choices.get, TAGS))
    config = without_secrets(settings_dict(settings))
    return RunInfo(
        run_id=run.identity,
        name=run.name,
        group=config["experiment_name"],
        tags=[*run.setting[:2], settings.prune.short, settings.prune.scope, *made_with],
        config=config | told,
        folder=run.folder,
        project=tracking.project,
        entity=tracking.entity,
        difference=without_secrets(difference),
    )


def retell(run: Run, picture: str) -> None:
    """Tell all of a finished run that its process did not tell to the end, or that an agent of W&B's wants to hear.

    `picture` is the name of its picture. Does not raise: the run is finished, whoever hears of it.
    """
    try:
        summary = read_status(run.folder) or {}
        info = run_info(run, summary, summary["network"])
        folder = RunFolder(run, {}, {})
        folder.done = summary["iterations_done"]
        known = list(folder.rows())
    except Exception as error:
        log.warning("%s is finished, but Weights & Biases could not be told of it: %s", run.name, error)
        return
    tracker = open_tracker(run.config.tracking.mode, info)
    for rows, layers, epochs in known:
        for epoch in epochs:
            tracker.log_epoch(epoch)
        tracker.log_iteration(rows[0], layers)
    tracker.log_records(run.folder / ITERATIONS_FILE)
    tracker.log_figures([path for path in [run.folder / picture] if path.exists()])
    tracker.log_network(run.folder)
    tracker.finish("finished")
