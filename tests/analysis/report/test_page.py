"""The page as text: what is in it, and that it needs nothing else."""

import json
import re
import shlex
from html import unescape
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from src.analysis.claims import CLAIMS
from src.analysis.figures.catalogue import KINDS
from src.analysis.figures.errors import ERRORS
from src.analysis.figures.of_paper import OF_PAPER
from src.analysis.figures.spec import style_named
from src.analysis.report.data import slot_looks
from src.analysis.report.page import COLOURS, _part
from src.report import main
from tests.analysis.synthetic import FOUR, Spec, base_specs, full_experiment, write_runs

VOID = {"meta", "link", "br"}


class Outline(HTMLParser):
    """Checks that elements are closed in order, and collects identities, figures and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.figures = 0
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.figures += "data-figure" in given
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "srcset") and value]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def test_heat_maps_have_the_colours_of_the_figures():
    from src.analysis.figures.drawing import matplotlib

    written = _part(COLOURS).split()
    colours = matplotlib.colormaps[style_named("default").colour_map]
    assert written == [matplotlib.colors.to_hex(colours(i / (len(written) - 1))) for i in range(len(written))]
    assert len(written) == 64


@pytest.fixture(scope="module")
def text(report):
    return report.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def outline(text):
    outline = Outline()
    outline.feed(text)
    assert outline.stack == []
    return outline


@pytest.fixture(scope="module")
def data(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*)</script>', text).group(1))


def test_nothing_is_asked_for_from_elsewhere(outline, text):
    assert {address for address in outline.addresses if not address.startswith("#")} == {"data:,"}
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest", text)


def test_identities_are_unique_and_links_lead_somewhere(outline):
    assert len(set(outline.ids)) == len(outline.ids)
    assert {a.removeprefix("#") for a in outline.addresses if a.startswith("#")} <= set(outline.ids)


def test_every_claim_has_its_verdicts(text):
    for claim in CLAIMS:
        assert claim.statement in text
        block = text.split(f'id="claim-{claim.name}"')[1].split("</details>")[0]
        assert 'class="chip' in block
    assert "no runs for it" in text.split('id="claim-monotone_gamma"')[1]


def test_the_sums_tell_all_tests(text):
    sums = re.sub(r"<[^>]+>", " ", text.split('class="sums"')[1].split("</div>")[0])
    tests = int(re.search(r"(\d+) tests", sums).group(1))
    parts = re.findall(r"(\d+) (?:holds?|fails?|inconclusive|not enough seeds|limit not reached)", sums)
    assert len(parts) == 5
    assert sum(map(int, parts)) == tests


def test_every_figure_is_there_in_both_readings(data, outline):
    figures = data["figures"]
    assert outline.figures == len(figures)
    kinds = {re.search(r"figure=(\w+)", f["corrected"]["command"]).group(1) for f in figures}
    assert kinds == KINDS.keys() - {"q", "eta", "gamma", "controls"} | OF_PAPER.keys()
    for figure in figures:
        command = figure["corrected"]["command"]
        assert command.startswith("python -m src.figures figure=")
        if "published" in figure:
            assert figure["published"]["command"] == command.replace(" overlay", " reading=published overlay") or (
                "reading=published" in figure["published"]["command"]
            )


def test_overlays_bring_published_curves_and_distances(data, text):
    overlays = [f["corrected"] for f in data["figures"] if "overlay=true" in f["corrected"]["command"]]
    assert overlays
    assert all(any(panel.get("published") for panel in overlay["panels"]) for overlay in overlays)
    assert "Distances, corrected reading" in text
    assert "Distances, published reading" in text


def test_the_four_errors_are_explained_with_before_and_after(data, text):
    titles = ["means over the iterations", "axes of two scopes", "different p and q", "a hundred times too short"]
    assert all(title in text for title in titles)
    assert len(titles) == len(ERRORS)
    errors = [f["corrected"] for f in data["figures"] if "figure=errors" in f["corrected"]["command"]]
    titles = [panel["title"] for figure in errors for panel in figure["panels"]]
    assert any("measured" in title for title in titles)
    assert any("as published" in title for title in titles)


def test_every_curve_has_a_style(data, text):
    figures = [reading for figure in data["figures"] for reading in figure.values()]
    slots = {curve["s"] for f in figures for panel in f["panels"] for curve in panel.get("curves", ())}
    assert slots
    assert all(f".line.s-{slot} {{" in text and f'<marker id="m-{slot}"' in text for slot in slots)
    assert len(slot_looks()) == text.count("<marker ")


def test_missing_runs_are_named_with_their_command(text):
    missing = text.split('id="again"')[1]
    assert "has failed at 3 of 31 iterations" in missing
    assert "prune=one_shot" in missing


def test_the_same_records_give_the_same_page(report):
    again = report.parent / "again"
    main([f"output_dir={report.parents[1]}", f"destination={again}"])
    first = report.read_text().replace(f" destination={again}", "")
    assert (again / "index.html").read_text().replace(f" destination={again}", "") == first


@pytest.mark.parametrize("name", ["</script><img src=x onerror=alert(1)>", "<!--<script>", "{{ 7 * 7 }} & {% raw %}"])
def test_names_from_records_are_text_and_not_markup(tmp_path, name):
    write_runs(tmp_path, [Spec(FOUR[0], 0, trainer=name)])
    assert main([f"output_dir={tmp_path}"]) == 0
    outline = Outline()
    text = (tmp_path / "report" / "index.html").read_text()
    outline.feed(text)
    assert outline.stack == []
    assert "x" not in outline.addresses
    assert str(escape(name)) in text
    embedded = re.search(r'id="data">(.*)</script>', text).group(1)
    assert "<" not in embedded
    assert name in json.loads(embedded)["figures"][0]["corrected"]["heading"]
    assert text.rstrip().endswith("</script>\n</body>\n</html>")


@pytest.mark.parametrize(
    ("specs", "message"),
    [([], "experiment=quickstart"), ([Spec(FOUR[0], status="running")], "is not finished at 3 of 31 iterations")],
)
def test_without_finished_runs_there_is_one_message_and_no_page(tmp_path, capsys, specs, message):
    write_runs(tmp_path, specs)
    assert main([f"output_dir={tmp_path}"]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_records_without_published_curves_say_what_makes_them(tmp_path):
    write_runs(tmp_path, base_specs("fashion_mnist", "mlp", [0]))
    assert main([f"output_dir={tmp_path}"]) == 0
    assert "model=cnn trainer=paper" in (tmp_path / "report" / "index.html").read_text()


@pytest.mark.slow
def test_the_whole_experiment_stays_below_ten_megabytes(tmp_path):
    write_runs(tmp_path, full_experiment())
    assert main([f"output_dir={tmp_path}"]) == 0
    assert (tmp_path / "report" / "index.html").stat().st_size < 10e6


def test_hostile_text_in_every_field_of_a_record_stays_text(hostile):
    text = hostile.read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(text)
    assert outline.stack == []
    assert outline.figures == 4 + len(OF_PAPER)
    assert text.lower().count("<script") == 2
    assert "<!--" not in text
    embedded = re.search(r'id="data">(.*)</script>', text).group(1)
    assert "<" not in embedded
    assert json.loads(embedded)["figures"][0]["corrected"]["heading"].startswith("<!--<script>data")


def test_the_commands_of_the_page_are_quoted(hostile):
    text = unescape(hostile.read_text(encoding="utf-8"))
    line = re.search(r"<code>(python -m src.report .*?)</code>", text).group(1)
    assert shlex.split(line) == ["python", "-m", "src.report", f"output_dir='{hostile.parents[1]}'"]


def test_it_opens_with_what_was_trained_longest_whatever_came_out(tmp_path):
    """Of several layers, where there are such; not where the claim holds most."""
    write_runs(tmp_path, base_specs("cifar10", "linear", range(4)))
    write_runs(
        tmp_path, [Spec(FOUR[3], seed, model="mlp", epochs=e, phases=e == 3) for e in (3, 200) for seed in (0, 1)]
    )
    assert main([f"output_dir={tmp_path}"]) == 0
    opening = (tmp_path / "report" / "index.html").read_text().split('<div class="seen">')[1]
    assert re.search(r"CIFAR-10, MLP[^<]*200 epochs a training", opening.split("<main>")[0])
