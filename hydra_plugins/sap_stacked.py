"""The stacked launcher: a sweep's runs in one process, their trainings advancing together."""

import logging
from collections.abc import Sequence

from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from src.config.schema import Config
from src.errors import UserError
from src.config.settings import settings

log = logging.getLogger(__name__)


class StackedLauncher(Launcher):
    """Groups the jobs that can be trained together; every run gets its folder and records as if it were alone."""

    def __init__(self) -> None:
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context = hydra_context
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """What became of each job, in order; one that cannot be composed is among them and does not stop the others."""
        composed = [self._compose(words) for words in job_overrides]
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

    def _compose(self, words: Sequence[str]) -> Config | Exception:
        assert self.hydra_context is not None
        assert self.config is not None
        try:
            config = self.hydra_context.config_loader.load_sweep_config(self.config, list(words))
            with open_dict(config):
                del config["hydra"]
            return settings(config)
        except (UserError, HydraException, OmegaConfBaseException) as error:
            return error
