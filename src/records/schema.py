"""What the files of a run's folder are called and hold. Imports no PyTorch."""

import json
from pathlib import Path
from typing import Any

SCHEMA = 2
"""Version of the records' columns and files; readers refuse others."""

MASKS_FILE = "masks.safetensors"


def read_status(path: Path) -> dict[str, Any] | None:
    """The content of a run folder's `run.json`, or None where there is none that can be read."""
    try:
        state = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None
