"""Create or update a workspace and a report in a Weights & Biases project.

Use:  python -m src.dashboard [key=value ...]

  project   that of the runs (tracking.project), default WANDB_PROJECT or else pq-index-sap
  entity    user or team, default WANDB_ENTITY or else your own
  --spec    print what would be saved, as JSON, without a network

Panels: accuracy, remaining weights, PQ Index and Gini index along pruning, of the retrained and of the pruned
networks; the same against the percent of remaining weights; layers; sweeps of p, q, eta_r and gamma; learning curves.
Runs of the same data set, model, scope, method, epochs, protocol and number of prunings are one curve: their mean, with
a band of a standard deviation.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from src.config.command_line import read_settings, run_command
from src.config.schema import TrackingConfig
from src.errors import UserError

OWN_KEYS = ("__id__", "id", "ref", "createdAt", "updatedAt")
"""What the library draws by lot."""


@dataclass(frozen=True)
class DashboardSettings:
    project: str = TrackingConfig.project
    entity: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Print the specification, or save the dashboards and print their addresses."""

    def body(words: list[str]) -> int:
        settings = read_settings(DashboardSettings, [word for word in words if word != "--spec"])
        if find_spec("wandb_workspaces") is None:
            raise UserError("the dashboards need wandb-workspaces; install it with `pip install wandb-workspaces`")
        if "--spec" in words:
            print(json.dumps(specification(), indent=1, sort_keys=True, ensure_ascii=False))
        else:
            print(*save(settings.entity, settings.project), sep="\n")
        return 0

    return run_command(arguments, str(__doc__), body)


def specification() -> Any:
    """Workspace and report as they are sent to W&B, without what is drawn by lot; asks no network."""
    from src.tracking.boards import report, spec_of, workspace

    return _settled({"workspace": spec_of(workspace("", "")), "report": spec_of(report("", ""))})


def save(entity: str | None, project: str) -> tuple[str, str]:
    """Save both, over what an earlier call saved; their addresses. Raises UserError where W&B refuses."""
    import wandb

    from src.tracking.boards import save_report, save_workspace
    from src.tracking.wandb_run import destination

    try:
        project, entity = destination(project, entity)
        api = wandb.Api()
        owner = entity or str(api.default_entity)
        return save_workspace(api, owner, project), save_report(api, owner, project)
    except Exception as error:  # the libraries raise many kinds for what W&B refuses, Exception itself among them
        raise UserError(
            f"Weights & Biases does not take the dashboards for project {project}: {error}\n"
            "log in with `wandb login`, make a run with tracking=wandb so that the project exists, or give "
            "entity=NAME; `python -m src.dashboard --spec` works without"
        ) from error


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items() if key not in OWN_KEYS}
    return [_settled(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
