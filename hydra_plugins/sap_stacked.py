"""The stacked launcher: a sweep's runs in one process, their trainings advancing together."""

import logging
from collections.abc import Sequence

from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.config.schema import Config
from src.sweeps.compose import Composer, config_dir_of
from src.sweeps.jobs import MISTAKES

log = logging.getLogger(__name__)


class StackedLauncher(Launcher):
    """Groups the jobs that can be trained together; every run gets its folder and records as if it were alone."""

    def __init__(self) -> None:
        self.config: DictConfig | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:  # noqa: ARG002
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:  # noqa: ARG002
        """What became of each job, in order; one that cannot be composed is among them and does not stop the others."""
        composed = self._composed(job_overrides)
        good = [config for config in composed if isinstance(config, Config)]
        log.info("%d runs, stacked where that is faster", len(good))
        from src.execution import execute_together  # PyTorch, which Hydra's search for plugins must not wait for

        outcomes = iter(execute_together(good, stacked=True))
        results = []
        for words, config in zip(job_overrides, composed, strict=True):
            outcome = next(outcomes) if isinstance(config, Config) else None
            error = outcome.error if outcome else config
            result = JobReturn(overrides=filter_overrides(list(words)))
            result.status = JobStatus.COMPLETED if error is None else JobStatus.FAILED
            result.return_value = str(outcome.folder) if outcome and error is None else error
            results.append(result)
            if outcome and error is None:
                print(outcome.folder, flush=True)
        return results

    def _composed(self, job_overrides: Sequence[Sequence[str]]) -> list[Config | Exception]:
        assert self.config is not None
        composer = Composer(list(self.config.hydra.overrides.hydra), config_dir_of(self.config.hydra))
        composed: list[Config | Exception] = []
        for words in job_overrides:
            try:
                composed.append(composer.settings(tuple(words)))
            except MISTAKES as error:
                composed.append(error)
        return composed
