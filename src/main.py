"""Compose a configuration, run it, print the folder of its records.

python -m src.main prune=sap model=resnet18 -m
"""

import logging
import os
import sys
from pathlib import Path
from typing import cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.config.schema import open_schema, register_schemas
from src.config.settings import job_settings, plain_settings, settings
from src.errors import UserError, message
from src.execution.device import is_first
from src.run import Run
from src.sweeps.compose import check_words
from src.sweeps.report import outlook

log = logging.getLogger(__name__)
CONF = str(Path(__file__).resolve().parents[1] / "conf")

GROUPS = (
    "dataset",
    "model",
    "prune",
    "prune/score",
    "prune/rewind",
    "trainer",
    "trainer/optimizer",
    "trainer/schedule",
    "protocol",
    "tracking",
    "experiment",
    "hydra/launcher",
)

SHELLS_OWN = ("choices", "overrides", "config_dir")
"""Settings that are not for the user to make."""


def _choices() -> str:
    """The groups of `conf/` and what can be chosen in each, for --help."""
    found = {group: sorted(path.stem for path in Path(CONF, group).glob("*.yaml")) for group in GROUPS}
    return "\n".join(f"{group}: {', '.join(choices)}" for group, choices in found.items() if choices)


def _keys(*, _root_: DictConfig) -> str:
    """All settings as they stand, those of the chosen parts included, for --help."""
    own = OmegaConf.masked_copy(_root_, [str(key) for key in _root_ if key != "hydra"])
    config = cast(DictConfig, OmegaConf.merge(open_schema(), own))
    shown = {key: value for key, value in plain_settings(settings(config)).items() if key not in SHELLS_OWN}
    return OmegaConf.to_yaml(OmegaConf.create(shown))


register_schemas()
OmegaConf.register_new_resolver("choices", _choices, replace=True)
OmegaConf.register_new_resolver("keys", _keys, replace=True)


@hydra.main(config_path=CONF, config_name="config", version_base="1.3")
def run(config: DictConfig) -> str:
    """One job: check, run, and print its folder as the last line."""
    checked = job_settings(config, HydraConfig.get())
    if HydraConfig.get().mode == RunMode.RUN and is_first():
        log.info("%s", outlook([Run(checked)]))
    from src.execution.execute import (
        execute,  # torch and wandb: --help, completion and errors in keys must not wait for them
    )

    folder = str(execute(checked))
    if is_first():
        print(folder, flush=True)
    return folder


def _flags_first(words: list[str]) -> list[str]:
    """Hydra's order: -m before overrides. --dry-run is a sweep that is only listed, several experiments are a sweep."""
    if "--dry-run" in words:
        words = ["-m", *(word for word in words if word not in ("-m", "--dry-run")), "hydra.sweeper.dry_run=true"]
    elif "-m" not in words and any(word.startswith("experiment=") and "," in word for word in words):
        words = ["-m", *words]
    return sorted(words, key=lambda word: word not in ("-m", "--multirun"))


def main() -> None:
    """The command line: a mistake of the user's ends with one message and status 1, a defect with a traceback."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra re-raises instead of printing a traceback of its own
    try:
        check_words(sys.argv[1:])
        sys.argv[1:] = _flags_first(sys.argv[1:])
        run()
    except (UserError, HydraException, OmegaConfBaseException) as error:
        print(f"error: {message(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from the last finished epoch", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
