"""What a run's folder holds: names of files and columns that its writer and its readers share. Imports no PyTorch."""

import json
from pathlib import Path
from typing import Any

from src.files import is_as_written

SCHEMA = 2
"""Version of the records' files and columns; readers refuse others."""

RUN_FILE = "run.json"
CONFIG_FILE = "config.yaml"
ITERATIONS_FILE = "iterations.csv"
LAYERS_FILE = "layers.csv"
EPOCHS_FILE = "epochs.csv"
TABLES = (ITERATIONS_FILE, LAYERS_FILE, EPOCHS_FILE)
MEASURES_FILE = "measures.safetensors"
MASKS_FILE = "masks.safetensors"
WEIGHTS_FILE = "weights.safetensors"
NETWORKS_FILE = "networks.safetensors"
JOINED = (MEASURES_FILE, MASKS_FILE, WEIGHTS_FILE, NETWORKS_FILE)
"""Tensors by `iteration_<t>/<name>`, of all iterations but for the networks."""
PIECES = "iterations"
"""Folder of what is recorded while a run goes on."""

REQUIRED_COLUMNS = {
    ITERATIONS_FILE: (
        "iteration", "remaining", "total", "percent_remaining", "retrained_accuracy", "retrained_pqi",
        "retrained_gini", "pruned_accuracy", "pruned_pqi", "retained_bound",
    ),
    LAYERS_FILE: ("iteration", "layer", "remaining", "total", "percent_remaining", "retrained_pqi"),
}  # fmt: skip
"""Columns that readers need; others may be added."""

HEADLINE = (0.5, 1.0)
"""(p, q) of the PQ Index in the tables: the pair that the paper's curves show."""
SCOPES = ("neuron", "layer", "global")
STATUSES = ("running", "failed", "finished")
CHANGED = "run.json was changed after it was recorded; run the same command again, or remove its sha256 to keep it so"


def read_status(path: Path) -> dict[str, Any] | None:
    """The content of a run folder's `run.json`, or None where there is none that says where the run stands.

    Where its checksum is not right, the run has failed for the reason `CHANGED`, and nothing else is told of it.
    """
    try:
        text = (path / RUN_FILE).read_bytes()
        state = json.loads(text.decode())
        whole = {"reason": None, "files": {}, **state}
        kinds = {"id": str, "iterations_done": int, "iterations_total": int, "files": dict}
        good = whole["status"] in STATUSES and all(isinstance(whole[key], kind) for key, kind in kinds.items())
        if good and not is_as_written(text, state):
            counts = {key: whole[key] for key in ("id", "iterations_done", "iterations_total")}
            return {**counts, "status": "failed", "reason": CHANGED, "files": {}}
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return whole if good else None


def plain(label: str) -> str:
    """A legend's label in plain Unicode.

    >>> plain("SAP ($\\\\eta_r$=0.1)")
    'SAP (η_r=0.1)'
    """
    return label.replace("$\\eta_r$", "η_r").replace("$\\gamma$", "γ").replace("$\\beta$", "β")
