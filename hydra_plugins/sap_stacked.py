"""The stacked launcher: a sweep's runs in one process, their trainings advancing together."""

import logging
from collections.abc import Sequence

from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.config.schema import Config
from src.records.objective import accuracy_at
from src.run import Run

log = logging.getLogger(__name__)


class StackedLauncher(Launcher):
    """Groups the jobs that can be trained together; every run gets its folder and records as if it were alone."""

    def __init__(self) -> None:
        self.config: DictConfig | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """What became of each job, in order; one that cannot be composed is among them and does not stop the others."""
        composed = self._composed(job_overrides)
        good = [config for config in composed if isinstance(config, Config)]
        log.info("%d runs, stacked where that is faster", len(good))
        # PyTorch, which Hydra's search for plugins must not wait for
        from src.execution.execute import execute_together

        runs = iter(execute_together(good, stacked=True))
        ends = [next(runs) if isinstance(config, Config) else config for config in composed]
        return [_result(words, end) for words, end in zip(job_overrides, ends, strict=True)]

    def _composed(self, job_overrides: Sequence[Sequence[str]]) -> list[Config | Exception]:
        from src.config.settings import config_dir_of
        from src.sweeps.compose import Composer
        from src.sweeps.jobs import MISTAKES

        assert self.config is not None
        composer = Composer(list(self.config.hydra.overrides.hydra), config_dir_of(self.config.hydra))
        composed: list[Config | Exception] = []
        for words in job_overrides:
            try:
                composed.append(composer.settings(tuple(words)))
            except MISTAKES as error:
                composed.append(error)
        return composed


def _result(words: Sequence[str], end: Run | Exception) -> JobReturn:
    """What a job returns, as `src.main` alone, or the error that ended it; its folder is printed as any job's."""
    result = JobReturn(overrides=filter_overrides(list(words)))
    if isinstance(end, Run) and end.error is None:
        print(end.folder, flush=True)
        result.status, result.return_value = JobStatus.COMPLETED, accuracy_at(end.folder, end.config.accuracy_at)
    else:
        result.status, result.return_value = JobStatus.FAILED, end.error if isinstance(end, Run) else end
    return result
