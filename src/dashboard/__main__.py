"""`python -m src.dashboard [--spec] [project=... entity=...]`: dashboards in Weights & Biases."""

import json
import sys
from dataclasses import dataclass
from importlib.util import find_spec

from src.config.schema import TrackingConfig
from src.errors import UserError
from src.figures.settings import read_settings

HELP = """Create or update a workspace and a report in a Weights & Biases project.

Use:  python -m src.dashboard [key=value ...]

  project   that of the runs (tracking.project), default pq-index-sap
  entity    user or team, default your own
  --spec    print what would be saved, as JSON, without a network

Panels: accuracy, remaining weights, PQ Index and Gini index along pruning, of the retrained and of the pruned
networks; the same against the percent of remaining weights; layers; sweeps of p, q, eta_r and gamma; learning curves.
Runs of the same data set, model, scope and method are one curve: their mean, with a band of a standard deviation.
"""
MISSING = "the dashboards need wandb-workspaces; install it with `pip install 'sap-reproduction[dashboard]'`"


@dataclass
class DashboardSettings:
    """Keys of the command line."""

    project: str = TrackingConfig.project
    entity: str | None = None


def main(arguments: list[str]) -> int:
    """Print the specification, or save the dashboards and print their addresses."""
    words = set(arguments)
    if {"-h", "--help", "help"} & words:
        print(HELP)
        return 0
    try:
        settings = read_settings(DashboardSettings, [word for word in arguments if word != "--spec"])
        if find_spec("wandb_workspaces") is None:
            raise UserError(MISSING)
        from src.dashboard.saving import save, specification

        if "--spec" in words:
            print(json.dumps(specification(), indent=1, sort_keys=True, ensure_ascii=False))
        else:
            print(*save(settings.entity, settings.project), sep="\n")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
