"""Saving against a server on this machine: made once, then updated."""

import json

import pytest
import wandb

from src.config.schema import TrackingConfig
from tests.tracking.fake_project import fake_project

pytest.importorskip("wandb_workspaces", reason="wandb-workspaces is an extra: pip install '.[dashboard]'")


@pytest.mark.filterwarnings("ignore:Pydantic V1 style")
def test_dashboards_are_made_once_and_then_updated(monkeypatch):
    from src.dashboard import save, specification

    with fake_project() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
        first = save(None, "p")
        kept = {view_id: view["type"] for view_id, view in server.views.items()}
        second = save("me", "p")
    assert sorted(kept.values()) == ["project-view", "runs"]
    assert {view_id: view["type"] for view_id, view in server.views.items()} == kept
    assert first == second
    assert first[0].startswith(f"{server.url}/me/p?nw=")
    specs = {view["type"]: json.loads(view["spec"]) for view in server.views.values()}
    sections = specs["project-view"]["section"]["panelBankConfig"]["sections"]
    expected = specification()["workspace"]["section"]["panelBankConfig"]["sections"]
    assert [len(section["panels"]) for section in sections] == [len(section["panels"]) for section in expected]


@pytest.mark.filterwarnings("ignore:Pydantic V1 style")
def test_dashboards_are_where_wandbs_variables_say(monkeypatch):
    from src.dashboard import save

    with fake_project() as server:
        variables = {"BASE_URL": server.url, "API_KEY": "0" * 40, "PROJECT": "theirs", "ENTITY": "team"}
        for name, value in variables.items():
            monkeypatch.setenv(f"WANDB_{name}", value)
        wandb.teardown()  # which makes W&B read its variables anew
        assert save(None, TrackingConfig.project)[0].startswith(f"{server.url}/team/theirs?nw=")
        assert save("me", "mine")[0].startswith(f"{server.url}/me/mine?nw=")
    wandb.teardown()
