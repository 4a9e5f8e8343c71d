"""The sections of the page, top to bottom."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from html import escape
from itertools import groupby

from src.claims import CLAIMS, Claim, Finding, Verdict
from src.figures.published.distance import Distance
from src.report.book import Book
from src.report.content import Content, Readings, StudyPart
from src.report.html import chip, command_line, element, results_table, rows_table
from src.report.words import ERROR_TITLES, ERRORS, KIND_TITLES, LEAD, NO_OVERLAY, OVERLAYS, SECTIONS, VERDICTS

ALREADY_SAID = ("dataset", "model", "study")
DISTANCE_HEADS = {"kind": "Figure", "scope": "Scope", "quantity": "Quantity", "curve": "Curve", "seeds": "Seeds",
                  "unit": "Unit", "points": "Points", "mean": "Mean", "largest": "Largest", "at": "at t",
                  "within": "Within error"}  # fmt: skip


def body(content: Content, book: Book) -> str:
    """All of the page's content; figures are entered in `book` as they come."""
    made = [
        header(content),
        element("main", "".join([claims(content), errors(content, book), published(content, book),
                                 results(content, book), commands(content)])),
    ]  # fmt: skip
    return "".join(made)


def header(content: Content) -> str:
    """What this is, of how much data, and the way through."""
    runs = content.runs
    facts = {
        "Runs": len(runs),
        "Data sets": ", ".join(sorted({run.dataset for run in runs})),
        "Models": ", ".join(sorted({run.model for run in runs})),
        "Seeds": len({run.seed for run in runs}),
        "Claims that hold": _share(content.findings),
    }
    items = "".join(f"<div><dt>{key}</dt><dd>{escape(str(value))}</dd></div>" for key, value in facts.items())
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in SECTIONS.items())
    choice = (
        '<span class="choice" role="group" aria-label="Reading of the figures">'
        '<button data-reading="corrected" aria-pressed="true" title="What was measured">Corrected</button>'
        '<button data-reading="published" aria-pressed="false" title="Reported as in the paper">As published</button>'
        "</span>"
    )
    top = f'<h1>Pruning from a sparsity perspective</h1><p class="lead">{LEAD}</p><dl class="facts">{items}</dl>'
    return f'<header class="top">{top}</header><nav><div><div class="links">{links}</div>{choice}</div></nav>'


def claims(content: Content) -> str:
    """A line per claim with its verdicts, and the evidence inside."""
    found = {claim.name: [f for f in content.findings if f.claim == claim.name] for claim in CLAIMS}
    lines = "".join(_claim(claim, found[claim.name]) for claim in CLAIMS)
    return _section("claims", f"<p>{VERDICTS}</p>{lines}")


def errors(content: Content, book: Book) -> str:
    """The four reporting errors: what each is, and the same records measured and as published."""
    named = [(both["corrected"].name.split("_" + _study_name(both))[0].removeprefix("errors_"), both)
             for both in content.errors]  # fmt: skip
    parts = []
    for name, title in ERROR_TITLES.items():
        shown = [both for error, both in named if error == name]
        first, others = "".join(book.figure(both) for both in shown[:1]), [book.figure(both) for both in shown[1:]]
        rest = element("details", f"<summary>{len(others)} more</summary>{''.join(others)}") if others else ""
        none = "" if shown else '<p class="soft">These records do not show it: it needs runs in several scopes.</p>'
        parts.append(f"<h3>{title}</h3><p>{ERRORS[name]}</p>{first}{rest}{none}")
    return _section("errors", "".join(parts))


def published(content: Content, book: Book) -> str:
    """Overlays on the digitised curves, and the table of distances in both readings."""
    if not content.overlays:
        return _section("published", f"<p>{NO_OVERLAY}</p>")
    tables = "".join(
        element("details", f"<summary>Distances, {reading} reading</summary>{_distances(rows)}", class_="study")
        for reading, rows in content.distances.items()
    )
    figures = "".join(book.figure(both) for both in content.overlays)
    return _section("published", f"<p>{OVERLAYS}</p>{figures}{tables}")


def results(content: Content, book: Book) -> str:
    """Tables and figures of each study; the first is open."""
    return _section("results", "".join(_study(part, book, first=i == 0) for i, part in enumerate(content.parts)))


def commands(content: Content) -> str:
    """How the page is made again, and what is missing."""
    lines = "".join(f"<li><pre><code>{escape(message)}</code></pre></li>" for message in content.messages)
    missing = f'<h3>Missing</h3><ul class="scroll">{lines}</ul>' if lines else "<p>No run is missing or damaged.</p>"
    tables = content.command.replace("src.report", "src.tables")
    return _section("again", f"<p>This page, and its tables as CSV, Markdown and LaTeX:</p>"
                    f"{command_line(content.command)}{command_line(tables)}{missing}")  # fmt: skip


def _section(name: str, content: str) -> str:
    return element("section", f"<h2>{SECTIONS[name]}</h2>{content}", id=name)


def _share(findings: Sequence[Finding]) -> str:
    decided = [finding for finding in findings if finding.verdict != Verdict.not_enough_data]
    holding = sum(finding.verdict == Verdict.holds for finding in decided)
    return f"{holding} of {len(decided)} decided" if decided else "none decided"


def _claim(claim: Claim, findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(f.verdict == verdict for f in findings) for verdict in Verdict}
    chips = "".join(chip(verdict, count) for verdict, count in counts.items() if count)
    chips = chips or element("span", "no runs for it", class_="chip open")
    about = f'<p class="soft">{escape(claim.source)}. Test: {escape(claim.test)}</p>'
    summary = f'<summary><b>{escape(claim.statement)}</b><span class="chips">{chips}</span></summary>'
    return f'<details class="claim" id="claim-{claim.name}">{summary}{about}{_findings(findings)}</details>'


def _findings(findings: Sequence[Finding]) -> str:
    rows = [
        [
            f'{escape(f.setting.dataset)}, {escape(f.setting.model)}<br><span class="soft">{escape(f.scope)}</span>',
            escape(f.subject),
            chip(f.verdict),
            str(len(f.seeds)),
            escape(f.evidence) + (f'<br><span class="soft">{escape(f.reason)}</span>' if f.reason else ""),
        ]
        for f in findings
    ]
    heads = ("Where", "Subject", "Verdict", "Seeds", "Evidence")
    return rows_table(heads, rows, [False, False, False, True, False], stacks=True) if rows else ""


def _distances(rows: Iterable[Distance]) -> str:
    names = [field.name for field in fields(Distance)]
    kept = [names.index(name) for name in DISTANCE_HEADS]
    values = [[_short(astuple(row)[i], names[i]) for i in kept] for row in rows]
    numeric = [names[i] in ("seeds", "points", "mean", "largest", "at", "within") for i in kept]
    return rows_table(list(DISTANCE_HEADS.values()), values, numeric)


def _short(value: object, name: str) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, float):
        return f"{value:.0%}" if name == "within" else f"{value:.3g}"
    return escape(str(value))


def _study(part: StudyPart, book: Book, first: bool) -> str:
    seeds = part.study.seeds
    about = (
        f'<p class="soft">{len(part.study.runs)} runs, seed{"s" * (len(seeds) > 1)} {", ".join(map(str, seeds))}</p>'
    )
    tables = "".join(
        f'<h3>{escape(table.title)}</h3><p class="soft">{escape(table.note)}</p>{results_table(table, ALREADY_SAID)}'
        for table in part.tables
    )
    by_kind = groupby(part.figures, key=lambda both: both["corrected"].kind)
    figures = "".join(_kind(kind, list(found), book) for kind, found in by_kind)
    opened = {"open": ""} if first else {}
    content = f"<summary>{escape(part.study.setting.text)}</summary>{about}{figures}{tables}"
    return element("details", content, class_="study", id=f"study-{part.study.name}", **opened)


def _kind(kind: str, figures: Sequence[Readings], book: Book) -> str:
    """Figures of one kind under its heading, their common caption said once."""
    captions = {both["corrected"].caption for both in figures}
    common = f'<p class="soft">{escape(captions.pop())}</p>' if len(captions) == 1 else ""
    drawn = "".join(book.figure(both, within_study=True, caption=not common) for both in figures)
    return f"<h3>{KIND_TITLES.get(kind, kind)}</h3>{common}{drawn}"


def _study_name(both: Readings) -> str:
    setting = both["corrected"].setting
    return "" if setting is None else f"{setting.dataset}-{setting.model}"
