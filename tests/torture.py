"""What docs/reliability.md promises, tried in full, and the figures: python -m tests.torture [pytest options]"""

import os
import subprocess
import sys
from collections import Counter, defaultdict

import pytest

PARTS = (
    "tests/end_to_end/test_kills.py",
    "tests/end_to_end/test_disk.py",
    "tests/records/test_damage.py",
    "tests/end_to_end/test_resume.py",
    "tests/end_to_end/test_two_writers.py",
    "tests/end_to_end/test_parallel.py",
    "tests/training/test_composition.py",
    "tests/config/test_fuzz.py",
    "tests/end_to_end/test_load.py",
)
INPUT_FILES = 1000
"""Damaged input files of each kind."""


class Figures:
    """How often each thing was tried, and how often it failed, with the processor time of it and its children."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.seconds: Counter[str] = Counter()
        self._worked_s = sum(os.times()[:4])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        path, _, test = report.nodeid.partition("::")
        name, _, values = test.rstrip("]").partition("[")
        kind = values.rpartition("-")[0] if "kills" in path else ""
        what = f"{path.removeprefix('tests/')} {name}{kind and f' ({kind})'}"
        worked_s = sum(os.times()[:4])
        self.seconds[what] += worked_s - self._worked_s
        self._worked_s = worked_s
        if report.when == "call" or not report.passed:
            self.counts[what][report.outcome] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("attempts, failures, processor time")
        for what, found in self.counts.items():
            tried = found["passed"] + found["failed"]
            left_out = f", {found['skipped']} left out" if found["skipped"] else ""
            line = f"{tried:6d} tried {found['failed']:4d} failed {self.seconds[what]:7.1f} s  {what}{left_out}"
            terminalreporter.write_line(line)
        total = sum(self.counts.values(), Counter())
        line = f"{total['passed'] + total['failed']:6d} tried {total['failed']:4d} failed {self.seconds.total():7.1f} s"
        terminalreporter.write_line(f"{line}  in all")


def main(options: list[str]) -> int:
    status = pytest.main(["-m", "slow or not slow", "--timeout", "7200", *PARTS, *options], plugins=[Figures()])
    files = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.data.fuzz", str(INPUT_FILES)],
        env={**os.environ, "TQDM_DISABLE": "1"},
        check=False,
    )
    return int(status) or files.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
