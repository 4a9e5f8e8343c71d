"""Slurm through submitit: Hydra's launcher, but a task that Slurm loses does not hide the results of the others."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, filter_overrides

from src.errors import UserError

try:
    from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
    from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher as Submitit
except ModuleNotFoundError:  # the extra `slurm` is not installed: Hydra says so where this launcher is asked for
    Submitit = None

log = logging.getLogger(__name__)

if Submitit is not None:

    class SlurmLauncher(Submitit):  # type: ignore[misc]
        """One array of tasks, a run each; waits for all of them."""

        def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
            """Results in the order of `job_overrides`; a task without one counts as failed."""
            executor = self._executor()
            numbers = range(initial_job_idx, initial_job_idx + len(job_overrides))
            columns = zip(
                *(
                    (list(words), "hydra.sweep.dir", number, f"job_id_for_{number}", Singleton.get_state())
                    for number, words in zip(numbers, job_overrides, strict=True)
                ),
                strict=True,
            )
            jobs = executor.map_array(self, *columns)
            array = jobs[0].job_id.split("_")[0]
            log.info("Slurm job %s: %d tasks; logs in %s", array, len(jobs), jobs[0].paths.folder)
            try:
                return [_result(job, words) for job, words in zip(jobs, job_overrides, strict=True)]
            except KeyboardInterrupt:
                log.warning("the tasks go on without this command; stop them with: scancel %s", array)
                raise

        def _executor(self) -> Any:
            """submitit's, with the settings of the launcher."""
            import submitit

            if shutil.which("sbatch") is None:
                raise UserError("hydra/launcher=slurm: no sbatch here; start it on a machine of the cluster")
            settings = {key: value for key, value in self.params.items() if key != "submitit_folder"}
            timeouts = settings.pop("max_num_timeout")
            folder = Path(self.params["submitit_folder"])
            executor = submitit.AutoExecutor(folder, cluster="slurm", slurm_max_num_timeout=timeouts)
            common = set(BaseQueueConf.__dataclass_fields__)
            executor.update_parameters(
                **{key if key in common else f"slurm_{key}": value for key, value in settings.items()}
            )
            return executor


def _result(job: Any, words: Sequence[str]) -> JobReturn:
    """What a task returns; where Slurm lost it, a failure that names its state and its log."""
    from submitit.core.utils import UncompletedJobError

    try:
        returned = job.results()[0]
        assert isinstance(returned, JobReturn)
        return returned
    except UncompletedJobError:
        error = UserError(f"Slurm ended the task ({job.state}); its log: {job.paths.stderr}")
        result = JobReturn(overrides=filter_overrides(list(words)), status=JobStatus.FAILED)
        result.return_value = error
        return result
