"""Settings: the schema behind `conf/`, parts that users may replace, checks and their messages."""

from pathlib import Path

CONF = Path(__file__).resolve().parents[2] / "conf"
"""Where the choices are."""
