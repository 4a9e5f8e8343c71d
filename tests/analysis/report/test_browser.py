"""The page in headless Chromium: it draws everything, asks for nothing, and fits a phone."""

import json
import re
from pathlib import Path

import pytest

from src.analysis.figures.of_paper import OF_PAPER
from tests.analysis.report.chromium import PATH, Page, chromium

pytestmark = pytest.mark.skipif(PATH is None, reason="no Chromium here; apt-get install chromium")

DRAW_ALL = """document.querySelectorAll("details").forEach(d => { d.open = true; }); figures.forEach(draw)"""
FIRST = "document.querySelector('figure .panel').getBoundingClientRect()"


@pytest.fixture(scope="module")
def browser():
    with chromium() as page:
        yield page


@pytest.fixture
def page(browser: Page) -> Page:
    browser.problems.clear()
    browser.requests.clear()
    return browser


def count(page: Page, selector: str) -> int:
    return page.run(f"document.querySelectorAll({selector!r}).length")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (390, True)])
def test_it_loads_without_errors_or_requests_and_draws_every_panel(page, report, tmp_path, width, dark):
    page.open(report, width, 844, dark)
    page.run(DRAW_ALL)
    data = json.loads(re.search(r'id="data">(.*)</script>', report.read_text()).group(1))
    panels = [panel for figure in data["figures"] for panel in figure["corrected"]["panels"]]
    assert count(page, "figure .panel > svg") == len(panels)
    assert count(page, "figure .panel > svg path.line") == sum(len(panel.get("curves", ())) for panel in panels)
    assert count(page, "figure .panel > svg rect.cell") == 110 * sum("values" in panel for panel in panels)
    assert "NaN" not in page.run("document.querySelector('main').innerHTML")
    assert page.problems == []
    assert page.requests == [report.as_uri()]
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.screenshot(tmp_path / "page.png").stat().st_size > 10_000


def test_the_first_screen_has_the_verdicts_and_the_page_is_short(page, report):
    """The paper in three sentences, the phenomenon and the verdict on each claim; below, all that is long is folded."""
    page.open(report, 1280, 900)
    page.run("figures.forEach(figure => { if (figure.clientWidth) draw(figure); })")
    assert page.run("document.documentElement.scrollHeight") <= 6000
    assert page.run("document.querySelector('#claims details.quiet').getBoundingClientRect().top") <= 900
    assert page.run("document.querySelector('header figure .panel').getBoundingClientRect().bottom") <= 500
    assert page.run("document.querySelector('math').getBoundingClientRect().right") < 600


def test_no_text_of_a_panel_lies_on_other_text(page, report):
    page.open(report, 1280, 900)
    page.run(DRAW_ALL)
    overlaps = """[...document.querySelectorAll('figure .panel > svg')].flatMap(svg => {
      const boxes = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
      const common = (p, q, from, to) => Math.min(p[to], q[to]) - Math.max(p[from], q[from]);
      const over = (p, q) => common(p, q, "left", "right") > 1 && common(p, q, "top", "bottom") > 3;
      const under = (a, p, i) => boxes.slice(i + 1).filter(([, q]) => over(p, q)).map(([b]) => a + " / " + b);
      return boxes.flatMap(([a, p], i) => under(a, p, i));
    })"""
    assert page.run(overlaps) == []


def test_figures_are_drawn_when_they_come_into_view(page, report):
    page.open(report, 1280, 800)
    before = count(page, "figure[data-drawn]")
    assert before < count(page, "figure")
    page.run("document.querySelector('#results figure').scrollIntoView()")
    page.wait("document.querySelector('#results figure').dataset.drawn")
    assert count(page, "figure[data-drawn]") > before


def test_dark_and_light_have_other_colours(page, report):
    def colours() -> list[str]:
        style = "getComputedStyle(document.querySelector('.line'))"
        return [page.run("getComputedStyle(document.body).backgroundColor"), page.run(f"{style}.stroke")]

    found = []
    for dark in (False, True):
        page.open(report, 1280, 800, dark)
        page.run("draw(figures[0])")
        found.append(colours())
    assert found[0][0] == "rgb(255, 255, 255)"
    assert all(light != dark for light, dark in zip(*found, strict=True))


def test_the_switch_shows_the_published_reading(page, report):
    page.open(report, 1280, 800)
    page.run("document.querySelector('#results figure').scrollIntoView()")
    text = "document.querySelector('#results figure .panels').textContent"
    page.wait(f"{text}.includes('Accuracy (%)')")
    page.run("document.querySelector('[data-reading=published]').click()")
    page.wait(f"{text}.includes('Mean accuracy 0..T')")
    assert "reading=published" in page.run("document.querySelector('#results figure code').textContent")


def test_a_click_enlarges_a_panel(page, report):
    page.open(report, 1280, 900)
    page.run("draw(figures[0]); document.querySelector('figure .panel').click()")
    small = page.run(f"{FIRST}.width")
    assert page.run("zoom.open")
    assert page.run("zoom.querySelector('.large svg').getBoundingClientRect().width") > 2 * small
    assert page.run("zoom.querySelector('.large svg').getBoundingClientRect().bottom <= innerHeight")
    page.run("zoom.querySelector('.close').click()")
    assert not page.run("zoom.open")


def test_pointing_shows_the_values_of_all_curves(page, report):
    page.open(report, 1280, 900)
    page.run("figures[0].scrollIntoView(); draw(figures[0])")
    box = page.run(f"(({{x, y, width, height}}) => ({{x, y, width, height}}))({FIRST})")
    page.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait("!tip.hidden")
    shown = page.run("tip.innerText")
    iteration = int(re.search(r"Iteration (\d+)", shown).group(1))
    curve = page.run("contentOf(figures[0]).panels[0].curves[0]")
    assert f"{curve['l']}\t{curve['y'][iteration]:.4g}" in shown
    assert page.run("figures[0].querySelectorAll('.ring').length") > len(shown.splitlines()) - 1


def test_a_link_to_a_closed_part_opens_it(page, report: Path):
    page.open(report, 1280, 900)
    assert not page.run("document.getElementById('claim-adapts').open")
    page.run("location.hash = 'claim-adapts'")
    page.wait("document.getElementById('claim-adapts').open")


def test_hostile_names_stop_nothing_and_run_nothing(page, hostile: Path):
    page.open(hostile, 1280, 900)
    page.run("globalThis.alert = () => { throw new Error('alert'); }")
    page.run(DRAW_ALL)
    assert count(page, "figure[data-drawn]") == count(page, "figure") == 4 + len(OF_PAPER)
    assert count(page, "img, script[src]") == 0
    assert count(page, ".line") > 50
    assert page.problems == []
    assert "<!--<script>" in page.run("document.querySelector('#results figure .legend').textContent")
