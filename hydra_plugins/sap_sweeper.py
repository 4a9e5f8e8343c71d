"""The sweeper of all experiments; Hydra takes plugins only from the package `hydra_plugins`."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.experiments.compose import jobs
from src.experiments.sweep import Sweep


class ProductSweeper(Sweeper):
    """Runs the union of products of values: equal runs once, finished ones not again, and the rest past a failure."""

    def __init__(
        self,
        params: Mapping[str, object],
        products: Mapping[str, Mapping[str, object]],
        dry_run: bool = False,
    ) -> None:
        self.params = params
        self.products = products
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
        """Launch what is not finished. Raises UserError with the table of what failed."""
        assert self.hydra_context is not None
        assert self.config is not None
        assert self.launcher is not None
        loader = cast(ConfigLoaderImpl, self.hydra_context.config_loader)
        sweep = Sweep(jobs(loader, self.config, arguments), Path(str(self.config.output_dir)))
        if self.dry_run:
            print(sweep.report().text())
            return []
        return sweep.run(self.launcher.launch)
