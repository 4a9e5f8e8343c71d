"""Compose a configuration, run it, print the folder of its records.

python -m src.main prune=sap model=resnet18 -m
"""

import dataclasses
import logging
import os
import re
import sys
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from src.config import CONF
from src.config.schema import Config, register_schemas
from src.config.settings import hint, job_settings
from src.errors import Interrupted, UserError, as_user_error, message
from src.execution.device import is_first
from src.execution.waiting import prepare
from src.records.objective import accuracy_at

VALUED = ("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--cfg", "-c", "--package", "-p")
"""Flags of Hydra's that a value follows."""

INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
"""What Hydra's --info shows."""

KEYS = [field.name for field in dataclasses.fields(Config)]

register_schemas()


@hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
def run(config: DictConfig) -> float:
    """One job: check, run, and print its folder as the last line.

    Returns what a sweeper maximises: the accuracy (%) at `accuracy_at` percent of the weights, NaN where it keeps more.
    """
    try:
        checked = job_settings(config, HydraConfig.get())
        from src.execution.execute import execute  # PyTorch, which --help, --dry-run and wrong keys must not wait for

        folder = execute(checked)
    except Exception as error:  # which Hydra would announce in its own words
        if HydraConfig.get().mode == RunMode.MULTIRUN or (told := _mistake(error, sys.argv[1:])) is None:
            raise
        _end(told)
    if is_first():
        print(folder, flush=True)
    return accuracy_at(folder, checked.accuracy_at)


def _flags_first(words: list[str]) -> list[str]:
    """Hydra's order: flags before overrides. --dry-run is a sweep that is only listed, several experiments are one."""
    if "--dry-run" in words:
        words = ["-m", *(word for word in words if word not in ("-m", "--dry-run")), "hydra.sweeper.dry_run=true"]
    elif "-m" not in words and any(word.startswith("experiment=") and "," in word for word in words):
        words = ["-m", *words]
    if (shown := {"--cfg", "-c", "--info", "-i"} & set(words)) and {"-m", "--multirun"} & set(words):
        raise UserError(f"{min(shown)} shows the settings of one run, -m makes several: leave one of them out")
    if {"--info", "-i"} & set(words):  # its value may be missing
        what = next((word for word in words if word in INFO), "all")
        words = [f"--info={what}", *(word for word in words if word not in ("--info", "-i", what))]
    follows = [False, *(word in VALUED for word in words)]
    flags = [word for word, value in zip(words, follows, strict=False) if word.startswith("-") or value]
    return flags + [word for word in words if word not in flags]


def main() -> None:
    """The command line: a mistake of the user's ends with one message and status 1, a defect with a traceback."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra re-raises instead of printing a traceback of its own
    prepare()
    logging.raiseExceptions = False  # a reader of the log that has gone, as `head`, is no error
    words = sys.argv[1:]
    try:
        if {"-h", "--help"} & set(words):
            from src.sweeps.help import show_help

            show_help(words)
            return
        if shell := next((word for word in words if word.startswith("query=") and "-sc" in words), None):
            from src.sweeps.help import completions

            if found := completions(os.environ.get("COMP_LINE", "")):
                print(*found, sep="\n" if shell == "query=fish" else " ")
                return
        sys.argv[1:] = _flags_first(words)
        run()
    except KeyboardInterrupt as error:
        print("\ninterrupted; the same command goes on from the last checkpoint", file=sys.stderr, flush=True)
        if isinstance(error, Interrupted):
            os._exit(error.status)  # all is on disk: nothing may wait for a network now
        sys.exit(130)
    except Exception as error:
        if (told := _mistake(error, words)) is None:
            raise
        _end(told)


def _end(told: str) -> NoReturn:
    print(f"error: {told}", file=sys.stderr)
    sys.exit(1)


def _mistake(error: Exception, words: list[str]) -> str | None:
    """What to tell of an error that is the user's to mend; None for a defect."""
    if isinstance(error, UserError | OSError):
        return message(as_user_error(error))
    from src.sweeps.compose import check_words  # tells of a word what Hydra does not

    try:
        check_words(words)
    except UserError as better:
        return str(better)
    if not isinstance(error, HydraException | OmegaConfBaseException):
        return None
    unknown = re.search(r"Could not override '([^'.]+)'", message(error))
    return f"unknown key {unknown[1]}: {hint(unknown[1], KEYS)}" if unknown else message(error)


if __name__ == "__main__":
    main()
