"""What docs/reliability.md promises, tried in full, and the figures: python -m tests.torture [KEY=VALUE ...]

  kills   random kills of stacks in one go (130)
  values  values at random keys of the configuration (10000)
  files   damaged input files of each of 17 kinds (1000)
  every   of the slow attempts of one kind, as kills at file events, each how manieth is tried (1: all)
  part_s  seconds after which a part is ended, and counts as failed (3600)
  only    words in the names of the parts to run, with commas (all)

Other words go to pytest. Each part is a process of its own, so that none can stop the others.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

FILES = "tests/data/fuzz.py"
"""No test, but a command: damaged input files."""

PARTS = (
    "tests/end_to_end/test_load.py",
    "tests/config/test_fuzz.py",
    "tests/training/test_composition.py",
    "tests/end_to_end/test_resume.py",
    "tests/end_to_end/test_two_writers.py",
    "tests/end_to_end/test_parallel.py",
    "tests/end_to_end/test_disk.py",
    "tests/records/test_damage.py",
    FILES,
    "tests/end_to_end/test_kills.py",
)
SETTINGS = {"kills": "130", "values": "10000", "every": "1", "files": "1000", "part_s": "3600", "only": ""}
TEST_S = 900
"""Seconds after which a test is ended that says nothing else."""


class Outcomes:
    """Writes a line for each attempt, with the processor time of it and its children; a file for all of a part's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._worked_s = sum(os.times()[:4])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        path, _, test = report.nodeid.partition("::")
        name, _, values = test.rstrip("]").partition("[")
        kind = values.rpartition("-")[0] if "kills" in path else ""
        worked_s = sum(os.times()[:4])
        told = report.when == "call" or not report.passed
        line = {
            "what": f"{path.removeprefix('tests/')} {name}{kind and f' ({kind})'}",
            "outcome": report.outcome if told else None,
            "seconds": worked_s - self._worked_s,
        }
        self._worked_s = worked_s
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """This module is a plugin of the parts' processes."""
    config.pluginmanager.register(Outcomes(Path(os.environ["TORTURE_OUTCOMES"])))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the many slow attempts of one kind, leave each n-th."""
    every, seen = int(os.environ["TORTURE_EVERY"]), Counter[str]()
    kept = []
    for item in items:
        kind = item.nodeid.partition("[")[0]
        slow = item.get_closest_marker("slow") is not None
        if not slow or seen[kind] % every == 0:
            kept.append(item)
        seen[kind] += slow
    items[:] = kept


def main(words: list[str]) -> int:
    given = {key: value for key, _, value in (word.partition("=") for word in words) if key in SETTINGS}
    options = [word for word in words if word.partition("=")[0] not in SETTINGS]
    settings = SETTINGS | given
    pytests = ["pytest", "-p", "tests.torture", "-m", "slow or not slow", "--timeout", str(TEST_S), *options]
    commands = {part: ["tests.data.fuzz", settings["files"]] if part == FILES else [*pytests, part] for part in PARTS}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in a shell's background ignores
    ends: list[tuple[str, bool]] = []
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "outcomes"
        outcomes.touch()
        environment = {f"TORTURE_{key.upper()}": value for key, value in settings.items()}
        environment |= {"TQDM_DISABLE": "1", "TORTURE_OUTCOMES": str(outcomes)}
        try:
            for part, command in commands.items():
                if any(word in part for word in settings["only"].split(",")):
                    ends.append(_end(part, command, environment, float(settings["part_s"])))
        except KeyboardInterrupt:
            ends.append(("interrupted", False))
        found = [json.loads(line) for line in outcomes.read_text().splitlines()]
    print("\n".join(["", *_table(found), *(line for line, _ in ends)]), flush=True)
    return int(not all(good for _, good in ends))


def _end(part: str, command: list[str], environment: dict[str, str], limit_s: float) -> tuple[str, bool]:
    """What became of a part, and whether that is good; nothing of it is left running."""
    print(f"\n=== {part}", flush=True)
    began = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-m", *command]
    process = subprocess.Popen(command, env={**os.environ, **environment}, process_group=0)
    try:
        status = process.wait(limit_s)
        end = "ended well" if status == 0 else f"ENDED WITH STATUS {status}"
    except subprocess.TimeoutExpired:
        status, end = 1, "WAS ENDED BEFORE ITS END"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return f"{part} {end} after {time.monotonic() - began:.0f} s", status == 0


def _table(found: list[dict[str, Any]]) -> list[str]:
    """A line for what was tried, and the sums."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for line in found:
        counts[line["what"]][line["outcome"]] += 1
        seconds[line["what"]] += line["seconds"]
    counts["in all"], seconds["in all"] = sum(counts.values(), Counter()), seconds.total()
    return [
        f"{of['passed'] + of['failed']:6d} tried {of['failed']:4d} failed {seconds[what]:7.1f} s  {what}"
        + (f", {of['skipped']} left out" if of["skipped"] else "")
        for what, of in counts.items()
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
