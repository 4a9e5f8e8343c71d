"""`run.json`: where a run stands, without reading its records."""

import json
from pathlib import Path
from typing import Any


def read_status(path: Path) -> dict[str, Any] | None:
    """The content of a run folder's `run.json`, or None where there is none that can be read."""
    try:
        state = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None
