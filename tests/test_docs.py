"""Documents: every citation of the protocol and every link leads somewhere, and every key named is one."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from src.analysis.settings import FigureSettings, PlotOptions, RecordSettings
from src.config.command_line import read_settings
from src.config.settings import plain_settings
from src.sweeps.compose import parsed
from src.sweeps.jobs import BadJob, Job, jobs_of
from tests.support import ROOT

PROTOCOL = ROOT / "docs" / "protocol.md"
DOCUMENTS = sorted(
    {*ROOT.glob("*.md"), *(path for name in ("benchmarks", "docs", "examples") for path in (ROOT / name).rglob("*.md"))}
)
CITING = ("src", "conf", "hydra_plugins", "tests", "benchmarks", "examples", "docs")
SUFFIXES = {".py", ".yaml", ".md", ".html", ".sh", ".toml"}

DOTTED = r"\d+\.(?:\d+|[A-Z])\b|[AB]\d{1,2}\b"
NUMBER = rf"(?:{DOTTED}|\d+\b)"
CITATION = re.compile(rf"\bPROTOCOL\s+({NUMBER}(?:(?:, | and | to |-)(?:{DOTTED}))*)")
QUIRK = re.compile(r"\b[AB]\d{1,2}\b")


def citing_files() -> Iterator[Path]:
    own = Path(__file__).resolve()
    files = [*ROOT.glob("*"), *(path for folder in CITING for path in (ROOT / folder).rglob("*"))]
    return (path for path in files if path.suffix in SUFFIXES and path.is_file() and path != own)


def prose(text: str) -> str:
    """Markdown without its code."""
    without_fences = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    without_blocks = re.sub(r"(?<=\n\n)(?: {4}.*\n)+", "", without_fences)
    return re.sub(r"`[^`\n]*`", "", without_blocks)


def headings(text: str) -> list[str]:
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.findall(r"^#{1,6} +(.+?)\s*#*$", without_blocks, flags=re.M)


def anchors(text: str) -> set[str]:
    """By GitHub's rule: lower case; letters, digits, _ and - stay, spaces become -; repeated ones are counted."""
    found: dict[str, int] = {}
    for heading in headings(text):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        times = found.get(anchor, 0)
        found[anchor] = times + 1
        if times:
            found[f"{anchor}-{times}"] = 1
    return set(found)


def links(text: str) -> list[str]:
    """Targets of inline links and images, and of the definitions of reference links."""
    plain = prose(text)
    return re.findall(r"\]\(\s*([^)\s]+)", plain) + re.findall(r"^ {0,3}\[[^]]+\]:\s*(\S+)", plain, flags=re.M)


def broken_links(document: Path) -> list[str]:
    """Relative targets whose file or heading does not exist."""
    broken = []
    for target in links(document.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        if not file.exists() or (anchor and anchor not in anchors(file.read_text("utf-8"))):
            broken.append(target)
    return broken


def broken_tables(text: str) -> list[str]:
    """Lines of tables that have more or fewer cells than their head, and rules that share a line with other text."""
    broken, cells, before = [], 0, ""
    for line in prose(text).splitlines():
        rule = re.fullmatch(r"\s*(\|:?-+:?)+\|\s*", line)
        if rule or (cells and line.strip().startswith("|")):
            head = before.count("|") if rule else cells
            cells = line.count("|")
            if cells != head:
                broken.append(line)
        else:
            cells = 0
            if re.search(r"\|:?---", line):
                broken.append(line)
        before = line
    return broken


def sections() -> set[str]:
    """`1`, `1.5`, `7.A`, `A7`: what a heading of the protocol begins with."""
    return {heading.split()[0].rstrip(".") for heading in headings(PROTOCOL.read_text("utf-8"))}


def citations(text: str) -> set[str]:
    """Sections after the word PROTOCOL, and quirks anywhere."""
    numbered = (number for cited in CITATION.findall(text) for number in re.findall(NUMBER, cited))
    return {*numbered, *QUIRK.findall(text)}


def test_every_citation_of_the_protocol_leads_to_a_heading() -> None:
    known = sections()
    cited = {path: citations(path.read_text("utf-8")) for path in citing_files()}
    lost = {str(path.relative_to(ROOT)): sorted(found - known) for path, found in cited.items() if found - known}
    assert lost == {}
    assert len(set().union(*cited.values())) > 40


def test_citations_are_found_in_all_their_forms_and_made_up_ones_are_reported() -> None:
    text = "PROTOCOL 6.1, 6.2; Fig. 2 (PROTOCOL 3.3 and 9.9), PROTOCOL 3.4's, A1-A10 of PROTOCOL 7.A"
    text += ", PROTOCOL\n5, 64 runs: B23, A100"
    assert citations(text) == {"6.1", "6.2", "3.3", "9.9", "3.4", "A1", "A10", "7.A", "5", "B23"}
    assert citations(text) - sections() == {"9.9", "B23"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_anchors_resolve(document: Path) -> None:
    assert broken_links(document) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_are_whole(document: Path) -> None:
    assert broken_tables(document.read_text("utf-8")) == []


def test_broken_tables_are_reported() -> None:
    whole = "| a | b |\n|---|--:|\n| 1 | |\n\n- c\n\n  | `|` |\n  |---|\n  | 3 |\n"
    assert broken_tables(whole) == []
    joined, long, headless = "| a | b | |---|--:| | 1 |", "| 1 | 2 | 3 |", "|---|"
    assert broken_tables(f"{joined}\n\n{whole[:20]}{long}\n\n{headless}") == [joined, long, headless]


def test_broken_links_are_reported(tmp_path: Path) -> None:
    document = tmp_path / "other.md"
    (tmp_path / "first.md").write_text("## 1.5 SAP: how many\n")
    document.write_text(
        "# A `b`, c = d\n# Twice\n# Twice\n[x](#a-b-c--d) [x](#twice-1) [x](#twice-2)\n[y](none.md) `[z](no.md)`\n\n"
        "[w]: #no\n[u]: first.md#15-none\n[v](first.md#15-sap-how-many) [t](https://a.org/none)\n\n    [s](no.md)\n"
    )
    assert sorted(broken_links(document)) == ["#no", "#twice-2", "first.md#15-none", "none.md"]


def test_the_protocol_links_every_section_and_defines_every_reference() -> None:
    text = PROTOCOL.read_text("utf-8")
    reached = {target[1:] for target in links(text) if target.startswith("#")}
    assert anchors(text) - reached <= {"contents", *anchors(text.split("\n", 1)[0])}
    referred = set(re.findall(r"\[(\d\.\w|[AB]\d+)\](?![(:])", prose(text)))
    assert referred == set(re.findall(r"^\[(\d\.\w|[AB]\d+)\]: ", text, flags=re.M))
    assert referred <= sections()


def keys(settings: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Dotted names of all settings, and of the sections they are in."""
    found = {f"{prefix}{key}" for key in settings}
    nested = ((key, value) for key, value in settings.items() if isinstance(value, dict))
    return found.union(*(keys(value, f"{prefix}{key}.") for key, value in nested))


def test_keys_and_choices_that_the_documents_name_exist() -> None:
    jobs = jobs_of(
        ["prune=sap,scheduled", "prune.rewind.epoch=0", "dataset=cifar10,tiny_imagenet", "trainer/optimizer=torch"]
    )
    known = {f"plot.{option.name}" for option in fields(PlotOptions)}
    known = known.union(*(keys(plain_settings(job.run.config)) for job in jobs if isinstance(job, Job)))
    named = r"`((?:protocol|plot|prune|dataset|trainer|record|engine|tracking)(?:\.\w+)+)"
    for document, least in ((PROTOCOL, 20), (ROOT / "README.md", 15)):
        text = document.read_text("utf-8")
        found = set(re.findall(named, text))
        assert len(found) > least
        assert found - known == set(), document
        choices = set(re.findall(r"`(protocol|trainer|experiment|tracking|hydra/launcher)=(\w+)", text))
        assert len(choices) > 2
        assert {
            choice for choice in choices if not Path(ROOT, "conf", choice[0], f"{choice[1]}.yaml").is_file()
        } == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_documents_name_exist(document: Path) -> None:
    named = re.findall(r"`((?:src|conf|tests|benchmarks|examples|hydra_plugins)/[\w./]*)", document.read_text("utf-8"))
    assert [name for name in named if not ((ROOT / name).exists() or (document.parent / name).exists())] == []


def test_tests_that_documents_name_exist() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (ROOT / "docs" / "reliability.md").read_text("utf-8"))
    assert len(named) > 20
    assert [(file, name) for file, name in named if f"def {name}(" not in (ROOT / "tests" / file).read_text()] == []


def commands(text: str) -> Iterator[list[str]]:
    """Words of the commands of ours in a document's blocks, from the module's name on."""
    for line in re.findall(r"^(?: {4}|`|\|.*`)(?:python|torchrun .*?) ?-m (src\.[^#`\n]+)", text, flags=re.M):
        yield shlex.split(line)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_are_ones(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given to `src.main` composes; recipes' own choices are tried where the recipes are."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "outside"))
    for module, *words in commands(document.read_text("utf-8")):
        if module in ("src.main", "src.status") and document.name != "CONTRIBUTING.md":
            asked = parsed(words, "--dry-run", "--prune", "--json")
            assert [job for job in jobs_of(asked.words, asked.config_dir) if isinstance(job, BadJob)] == []
        elif module in ("src.figures", "src.tables", "src.report"):
            read_settings(FigureSettings if module == "src.figures" else RecordSettings, words)
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_the_readme_names_every_choice_and_every_file_of_a_run() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    groups = ["dataset", "model", "prune", "prune/score", "prune/rewind", "trainer", "trainer/optimizer"]
    for group in [*groups, "trainer/schedule", "protocol", "tracking"]:
        (row,) = re.findall(rf"^\| `{group}` \| (.*) \|$", text, flags=re.M)
        choices = {path.stem for path in (ROOT / "conf" / group).glob("*.yaml")}
        assert choices <= set(re.findall(r"`(\w+)`", row)), group
    writing = [*(ROOT / "src" / "records").glob("*.py"), ROOT / "src" / "execution" / "session.py"]
    names = {
        name for path in writing for name in re.findall(r'"(\w+\.(?:csv|json|yaml|png|safetensors))"', path.read_text())
    }
    assert len(names) > 8
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_commands_are_found_in_all_their_forms() -> None:
    text = (
        "    python -m src.main a=b  # c\n`python -m src.tables`\n| `torchrun -n 4 -m src.main d='e f'` |\nsrc.main g\n"
    )
    assert list(commands(text)) == [["src.main", "a=b"], ["src.tables"], ["src.main", "d=e f"]]
