"""Compose a configuration, run it, print the folder of its records.

python -m src.main prune=sap model=resnet18 -m
"""

import logging
import os
import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from src.config.command_line import CONF
from src.config.schema import register_schemas
from src.config.settings import job_settings
from src.errors import Interrupted, UserError, as_user_error, message
from src.execution.device import is_first
from src.help import help_text
from src.sweeps.compose import check_words
from src.sweeps.jobs import run_of
from src.sweeps.report import outlook, show

log = logging.getLogger(__name__)
VALUED = ("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--cfg", "-c", "--package", "-p")
"""Flags of Hydra's that a value follows."""

register_schemas()


@hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
def run(config: DictConfig) -> str:
    """One job: check, run, and print its folder as the last line."""
    checked = job_settings(config, HydraConfig.get())
    if HydraConfig.get().mode == RunMode.RUN and is_first():
        log.info("%s", outlook([run_of(checked)]))
    from src.execution.execute import execute  # PyTorch, which --help, --dry-run and wrong keys must not wait for

    folder = str(execute(checked))
    if is_first():
        print(folder, flush=True)
    return folder


def _flags_first(words: list[str]) -> list[str]:
    """Hydra's order: flags before overrides. --dry-run is a sweep that is only listed, several experiments are one."""
    if "--dry-run" in words:
        words = ["-m", *(word for word in words if word not in ("-m", "--dry-run")), "hydra.sweeper.dry_run=true"]
    elif "-m" not in words and any(word.startswith("experiment=") and "," in word for word in words):
        words = ["-m", *words]
    follows = [False, *(word in VALUED for word in words)]
    flags = [word for word, value in zip(words, follows, strict=False) if word.startswith("-") or value]
    return flags + [word for word in words if word not in flags]


def main() -> None:
    """The command line: a mistake of the user's ends with one message and status 1, a defect with a traceback."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra re-raises instead of printing a traceback of its own
    try:
        if {"-h", "--help"} & set(sys.argv[1:]):
            show(help_text(sys.argv[1:]))
            return
        check_words(sys.argv[1:])
        sys.argv[1:] = _flags_first(sys.argv[1:])
        run()
    except (UserError, HydraException, OmegaConfBaseException, OSError) as error:
        print(f"error: {message(as_user_error(error))}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt as error:
        print("\ninterrupted; the same command goes on from the last checkpoint", file=sys.stderr, flush=True)
        if isinstance(error, Interrupted):
            os._exit(error.status)  # all is on disk: nothing may wait for a network now
        sys.exit(130)


if __name__ == "__main__":
    main()
