"""pyproject.toml, requirements.lock and environment.yml say the same; only the first two name packages."""

import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = SpecifierSet(PROJECT["project"]["requires-python"])
NO_NETWORK = r"(?i)error sending request|failed to fetch|could not connect|dns error|timed out|connection refused"


@dataclass(frozen=True)
class Pin:
    name: str
    version: Version
    marker: str
    hashes: frozenset[str]

    def holds(self, environment: dict[str, str]) -> bool:
        return not self.marker or Marker(self.marker).evaluate(environment)


def read_lock(path: Path) -> list[Pin]:
    """Every entry of a requirements file; nothing but pins, hashes and comments is allowed in it."""
    pins = []
    for line in path.read_text().replace("\\\n", " ").splitlines():
        entry = line.split("#")[0].strip()
        if not entry:
            continue
        text, *hashes = re.split(r"\s+--hash=", entry)
        requirement = Requirement(text)
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{requirement.name} is not pinned: {entry[:100]}"
        marker = str(requirement.marker or "")
        name = canonicalize_name(requirement.name)
        pins.append(Pin(name, Version(specifier.version), marker, frozenset(hashes)))
    return pins


def requirements() -> list[Requirement]:
    """All that pyproject.toml asks for, with every group, and the extras that the lock is made of."""
    locked = re.findall(r"--extra (\w+)", (ROOT / "requirements.lock").read_text())
    extras = [PROJECT["project"]["optional-dependencies"][name] for name in locked]
    groups = PROJECT["dependency-groups"].values()
    found = [PROJECT["project"]["dependencies"], *extras, *groups]
    return [Requirement(text) for part in found for text in part]


def environments() -> list[dict[str, str]]:
    """The marker environments of the Pythons allowed, on Linux, macOS and Windows."""
    minors = [minor for minor in range(8, 30) if f"3.{minor}.5" in PYTHONS]
    systems = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
    base = {key: str(value) for key, value in default_environment().items()}
    return [
        {**base, "python_version": f"3.{minor}", "python_full_version": f"3.{minor}.5"}
        | {"sys_platform": system, "platform_machine": machine}
        for minor in minors
        for system, machine in systems
    ]


LOCK = read_lock(ROOT / "requirements.lock")


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_the_lock_satisfies_every_requirement_everywhere(requirement: Requirement):
    name = canonicalize_name(requirement.name)
    for environment in environments():
        found = [pin.version for pin in LOCK if pin.name == name and pin.holds(environment)]
        assert len(found) == 1, f"{name} has {len(found)} pins for {environment}"
        assert found[0] in requirement.specifier


def test_the_lock_meets_the_constraints():
    for text in PROJECT["tool"]["uv"]["constraint-dependencies"]:
        constraint = Requirement(text)
        pins = [pin for pin in LOCK if pin.name == canonicalize_name(constraint.name)]
        assert pins
        assert all(pin.version in constraint.specifier for pin in pins)


def test_the_lock_has_hashes_and_no_addresses():
    assert [pin.name for pin in LOCK if not pin.hashes] == []
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for pin in LOCK for value in pin.hashes)
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links", text)


def test_conda_gets_python_pip_and_the_lock():
    python, *rest = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert rest == ["pip", {"pip": ["-r requirements.lock"]}]
    name, version = python.split("=")
    assert name == "python"
    assert f"{version}.5" in PYTHONS


def test_the_python_that_version_managers_take_is_allowed():
    assert f"{(ROOT / '.python-version').read_text().strip()}.5" in PYTHONS


def test_every_tool_is_told_the_oldest_python():
    oldest = environments()[0]["python_version"]
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_the_lock_is_what_uv_makes_of_pyproject(tmp_path: Path):
    """Resolved anew with the pins as they are, nothing changes; a file added to a release later may add a hash."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".uv" / "bin"))
    if uv is None:
        pytest.skip("uv is not installed")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = re.search(r"uv (pip compile .*)", (ROOT / "requirements.lock").read_text())
    assert command
    done = subprocess.run(
        [uv, *command[1].split()], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    if done.returncode and re.search(NO_NETWORK, done.stderr):
        pytest.skip(f"no package registry answers: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    fresh = {(pin.name, pin.version, pin.marker): pin.hashes for pin in read_lock(tmp_path / "requirements.lock")}
    assert set(fresh) == {(pin.name, pin.version, pin.marker) for pin in LOCK}
    assert [pin.name for pin in LOCK if not pin.hashes <= fresh[pin.name, pin.version, pin.marker]] == []
