"""Create or update the dashboards in a user's project, and print what they are made of."""

from typing import Any

import wandb
import wandb_workspaces.workspaces.interface as ws

from src.dashboard.boards import REPORT_TITLE, VIEW, report, workspace
from src.errors import UserError

OWN_KEYS = ("__id__", "id", "ref", "createdAt", "updatedAt")
"""What the library draws by lot."""


def specification() -> dict[str, Any]:
    """Workspace and report as they are sent to W&B, without what is drawn by lot; asks no network."""
    made = {"workspace": workspace("", "")._to_model().spec, "report": report("", "")._to_model().spec}
    return {
        name: _settled(spec.model_dump(mode="json", by_alias=True, exclude_none=True)) for name, spec in made.items()
    }


def save(entity: str | None, project: str) -> tuple[str, str]:
    """Save both, over what an earlier call saved; their addresses. Raises UserError where W&B refuses."""
    try:
        api = wandb.Api()
        owner = entity or str(api.default_entity)
        return _save_workspace(api, owner, project), _save_report(api, owner, project)
    except Exception as error:  # the libraries raise many kinds for what W&B refuses, Exception itself among them
        raise UserError(
            f"Weights & Biases does not take the dashboards for project {project}: {error}\n"
            "log in with `wandb login`, make a run with tracking=wandb so that the project exists, or give "
            "entity=NAME; `python -m src.dashboard --spec` works without"
        ) from error


def _save_workspace(api: Any, entity: str, project: str) -> str:
    made = workspace(entity, project)
    try:
        there = ws.Workspace.from_url(f"{api.settings['base_url']}/{entity}/{project}?nw={VIEW}")
        made._internal_id = there._internal_id
    except ValueError as error:
        if "Workspace" not in str(error):
            raise
    return str(made.save().url)


def _save_report(api: Any, entity: str, project: str) -> str:
    made = report(entity, project)
    there = [found for found in api.reports(f"{entity}/{project}") if found.display_name == REPORT_TITLE]
    if there:
        made.id = there[0].id
    return str(made.save().url)


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items() if key not in OWN_KEYS}
    return [_settled(item) for item in value] if isinstance(value, list) else value
