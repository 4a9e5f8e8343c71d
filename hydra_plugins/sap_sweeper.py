"""The sweeper of all experiments; Hydra takes plugins only from the package `hydra_plugins`."""

from collections.abc import Mapping

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class ProductSweeper(Sweeper):
    """Runs the union of products of values: equal runs once, finished ones not again, and the rest past a failure.

    Hydra fills in `params` and `products` of one experiment; a command may name several, so `jobs` reads them itself.
    """

    def __init__(
        self,
        params: Mapping[str, object],
        products: Mapping[str, Mapping[str, object]],
        dry_run: bool = False,
    ) -> None:
        self.dry_run = dry_run
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None
        self.launcher: Launcher | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context = hydra_context
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        """Launch what is not finished. Raises UserError with the table of what failed, or is impossible."""
        # Hydra imports all plugins for every command; a single run needs no sweeps
        from src.config.settings import config_dir_of
        from src.errors import UserError
        from src.sweeps.jobs import jobs
        from src.sweeps.report import plural, show
        from src.sweeps.sweep import Sweep

        assert self.config is not None
        assert self.launcher is not None
        hydra = self.config.hydra
        config_dir = config_dir_of(hydra)
        sweep = Sweep(jobs([*hydra.overrides.hydra, *arguments], config_dir), config_dir, arguments)
        if not self.dry_run:
            return sweep.run(self.launcher.launch, serial=hydra.runtime.choices["hydra/launcher"] == "basic")
        show(f"{sweep.outlook()}\n{sweep.report().text()}")
        if sweep.bad:
            raise UserError(f"{plural(len(sweep.bad), 'run')} of {len(sweep.jobs) + len(sweep.bad)} cannot be done")
        return []
