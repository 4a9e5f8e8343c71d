"""What `python -m src.main --help` says. Hydra's own way to it takes as long as half an `import torch`."""

from collections.abc import Sequence
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from src.config.commands import CONF
from src.config.settings import plain_settings
from src.errors import UserError
from src.sweeps.compose import parsed
from src.sweeps.jobs import Job, jobs_of
from src.sweeps.report import show

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

HELP = """\
Prune networks by the PQ Index (Diao et al., ICLR 2023) and record PQI, accuracy and sparsity.

Use:  python -m src.main [GROUP=CHOICE ...] [KEY=VALUE ...] [-m] [--dry-run] [--config-dir FOLDER]
      -m            runs every combination of values given with commas, as in prune.scope=neuron,layer,global -m
      --dry-run     lists what would be run
      --config-dir  your own folder of choices, beside those of conf/

== Groups and their choices ==
{choices}

== All keys, as they stand with these choices ==
{keys}
Examples:
  python -m src.main prune=sap model=resnet18 -m
  python -m src.main prune=sap prune.p=0.2,0.5,0.8 model=cnn seed=0,1,2,3 -m
  python -m src.main experiment=quickstart
Tab completion:  eval "$(sap -sc install=bash)", then  sap prune=<TAB>
"""


def show_help(arguments: Sequence[str]) -> None:
    """Print the groups, and all keys with the choices of these arguments. Raises UserError, Hydra's and OmegaConf's."""
    asked = parsed(arguments, "--dry-run")
    job = jobs_of(asked.words, asked.config_dir)[0]
    if not isinstance(job, Job):
        raise UserError(job.reason)
    shown = {key: value for key, value in plain_settings(job.run.config).items() if key not in SHELLS_OWN}
    keys = yaml.safe_dump(shown, sort_keys=False, default_flow_style=None)
    show(HELP.format(choices=_choices([CONF, *([Path(asked.config_dir)] if asked.config_dir else [])]), keys=keys))


def _choices(folders: Sequence[Path]) -> str:
    """A line for each group."""
    files = {group: [path for conf in folders for path in (conf / group).glob("*.yaml")] for group in GROUPS}
    found = {group: sorted({path.stem for path in paths}) for group, paths in files.items()}
    return "\n".join(f"{group}: {', '.join(choices)}" for group, choices in found.items() if choices)
