"""What a figure lacks: runs that were never made or did not finish, and the command that makes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from src.figures.records.commands import command
from src.figures.records.method import Method
from src.figures.records.run import Run
from src.figures.records.study import Study

Want = tuple[str, Method]
"""A scope and a method."""


@dataclass(frozen=True)
class Missing:
    """A scope and method of a study whose runs with these seeds are not finished; `state` says how far they are."""

    study: Study
    scope: str
    method: Method
    seeds: tuple[int, ...]
    state: str

    @property
    def never_run(self) -> bool:
        """Whether the method has no run at all in this scope, of any seed."""
        runs = (*self.study.runs, *self.study.unfinished)
        return not any(run.scope == self.scope and run.method.key == self.method.key for run in runs)

    @property
    def command(self) -> str:
        """What makes, or goes on with, the runs."""
        return command(self.study, self.scope, self.method, self.seeds)

    @property
    def short(self) -> str:
        """A line for a figure's notes."""
        seeds = ", ".join(str(seed) for seed in self.seeds)
        return f"missing: {self.method.text}, scope {self.scope}, seed{'s' if len(self.seeds) > 1 else ''} {seeds}"

    def __str__(self) -> str:
        what = self.short.removeprefix("missing: ")
        return f"{self.study.setting.text}: {what}: {self.state}; make with\n    {self.command}"


def missing(study: Study, wanted: Sequence[Want]) -> tuple[Missing, ...]:
    """Every wanted scope and method should have the seeds that any of them has."""
    finished = {want: {run.seed for run in study.series(*want)} for want in wanted}
    stopped = {want: _unfinished(study, *want) for want in wanted}
    started = {run.seed for runs in stopped.values() for run in runs}
    seeds = set().union(*finished.values(), started) or {0}
    found = []
    for want in dict.fromkeys(wanted):
        halves = [run for run in stopped[want] if run.seed not in finished[want]]
        never = seeds - finished[want] - {run.seed for run in halves}
        found += [Missing(study, *want, (run.seed,), _state(run)) for run in halves]
        if never:
            found.append(Missing(study, *want, tuple(sorted(never)), "no run"))
    return tuple(found)


def unique(findings: Iterable[Missing]) -> tuple[Missing, ...]:
    """Each once, in order of appearance."""
    return tuple(dict.fromkeys(findings))


def _unfinished(study: Study, scope: str, method: Method) -> list[Run]:
    return [run for run in study.unfinished if run.scope == scope and run.method.key == method.key]


def _state(run: Run) -> str:
    reason = f": {run.reason}" if run.reason else ""
    return f"{run.name} is {run.status} at {run.iterations_done} of {run.iterations_total} iterations{reason}"
