"""Algorithm 1 on the published curves: what follows from them alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src import figures
from src.analysis.figures.of_paper import OF_PAPER, rereading
from src.analysis.figures.spec import CurvePanel, style_named
from src.analysis.published.prediction import predictions, share_kept
from src.analysis.published.reread import corrected_tradeoffs, gains
from src.pruning.methods.sap import Sap


@pytest.mark.parametrize(
    ("pqi", "settings", "kept"),
    [
        (0.31, {}, 0.69),  # p=0.5, q=1: r/d = 1 - I
        (0.517, {"p": 1.0, "q": 2.0}, 0.483**2),
        (0.31, {"eta_r": 1.0}, 0.69 / 4),
        (0.31, {"gamma": 3.0}, 1 - 0.9),  # beta decides
        (0.1, {"gamma": 3.0}, 0.7),
    ],
)
def test_share_kept_is_algorithm_1(pqi: float, settings: dict[str, float], kept: float) -> None:
    assert share_kept(np.array(pqi), Sap(**settings)) == pytest.approx(kept)


def test_published_percentages_follow_from_the_published_pqi_and_not_from_that_of_the_next_iteration() -> None:
    found = {(p.model, p.method.short): p for p in predictions()}
    assert len(found) == 14
    for p in found.values():
        assert p.within(p.predicted) == 1
    sap = found["cnn", "sap-0.5-1-0-1"]
    assert sap.tested.sum() == 20
    assert sap.within(sap.late) < 0.7


def test_figures_and_tables_of_the_published_curves_need_no_records(tmp_path: Path) -> None:
    words = ["figure=predicted,unaveraged,rereading", f"output_dir={tmp_path}", "formats=svg"]
    assert figures.main(words) == 0
    made = {path.name for path in (tmp_path / "figures").rglob("*.*")}
    assert made >= {"predicted.svg", "unaveraged.svg", "published_predicted.csv", "published_accuracy.tex"}
    accuracy = (tmp_path / "figures/unaveraged/published_accuracy.csv").read_text().splitlines()
    row = next(line for line in accuracy if line.startswith("cifar10,cnn,Lottery Ticket (P=0.2),retrained,30"))
    drawn, own = map(float, row.split(",")[-3:-1])
    assert drawn == pytest.approx(81.9, abs=0.1)
    assert own == pytest.approx(60.5, abs=0.5)  # PROTOCOL's figures README


def test_a_curve_looks_the_same_in_every_panel_and_as_no_other() -> None:
    style = style_named("default")
    for made in OF_PAPER.values():
        looks: dict[str, set[Any]] = {}
        for panel in made().panels:
            for curve in panel.curves if isinstance(panel, CurvePanel) else ():
                stroke = style.stroke(curve.slot)
                looks.setdefault(curve.label, set()).add((stroke.colour, stroke.line, stroke.marker))
        assert {len(found) for found in looks.values()} == {1}
        assert len({colour for found in looks.values() for colour, _, _ in found}) == len(looks)


def test_crosses_end_the_published_curves_that_the_axes_cut_off() -> None:
    panels = [panel for panel in rereading().panels if isinstance(panel, CurvePanel) and not panel.zoom]
    assert [panel.title for panel in panels] == [
        f"{scope}, {how}" for scope in ("Neuron", "Layer", "Global") for how in ("as drawn", "corrected")
    ]
    cut = {curve.key: curve.cut for curve in panels[4].curves}
    assert cut == {"sap-0.5-1-0-1": False, "sap-1-2-0-1": True, "lt-0.2": False, "os-0.2": True}


def test_the_scopes_claim_does_not_survive_its_own_data() -> None:
    """As drawn SAP wins neuron-wise and loses globally; corrected it is level with the lottery ticket in both."""
    found = {(g.scope, g.sap.short, g.other.short): g for g in gains()}
    for sap in ("sap-0.5-1-0-1", "sap-1-2-0-1"):
        neuron, everywhere = found["neuron", sap, "lt-0.2"], found["global", sap, "lt-0.2"]
        assert neuron.drawn > 3
        assert abs(neuron.corrected) < 0.5
        assert everywhere.drawn < -1.4
        assert abs(everywhere.corrected) < 2 * everywhere.error
        assert found["global", sap, "os-0.2"].corrected > 15


def test_the_papers_own_trade_offs_are_best_where_all_weights_compete() -> None:
    found = {(c.scope, c.method.short): c for c in corrected_tradeoffs([5.0, 1.0])}
    ticket, sap = found["global", "lt-0.2"], found["layer", "sap-0.5-1-0-1"]
    assert ticket.accuracy == pytest.approx([87.6, 79.2], abs=0.1)
    assert ticket.accuracy[0] > sap.accuracy[0] + 5 * sap.error[0]
    assert sap.accuracy[0] > found["layer", "lt-0.2"].accuracy[0] + 5 * sap.error[0]
    assert np.isnan(found["neuron", "sap-0.5-1-0-1"].accuracy).all()
    assert np.isnan(found["neuron", "sap-0.5-1-0-1"].error).all()
