"""Documents: every citation of the protocol and every link leads somewhere, and every key named is one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

PROTOCOL = ROOT / "docs" / "protocol.md"
DOCUMENTS = sorted(
    {ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md", *ROOT.glob("docs/**/*.md")}
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


def test_keys_and_choices_that_the_protocol_names_exist() -> None:
    text = PROTOCOL.read_text("utf-8")
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    keys = set(re.findall(r"`((?:protocol|plot|prune|dataset|trainer|record)(?:\.\w+)+)", text))
    assert len(keys) > 20
    fields = set(re.findall(r"^    (\w+): ", source, flags=re.M))
    assert {key for key in keys if not fields.issuperset(key.split(".")[1:])} == set()
    choices = set(re.findall(r"`(protocol|trainer|experiment)=(\w+)`", text))
    assert len(choices) > 4
    assert {choice for choice in choices if not Path(ROOT, "conf", choice[0], f"{choice[1]}.yaml").is_file()} == set()
