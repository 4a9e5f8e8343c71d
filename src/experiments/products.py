"""Sweeps that are unions of products."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override

Words = tuple[str, ...]
"""Overrides of one job, as on the command line."""


def expand(
    params: Mapping[str, object],
    products: Mapping[str, Mapping[str, object]],
    arguments: Sequence[str],
    parse: Callable[[Sequence[str]], list[Override]],
) -> list[Words]:
    """The jobs of all products, in order, those that read the same once.

    A product's axes are `params`, its own and `arguments`; of one key the last counts, so that the command line
    replaces an axis of the experiment. Without products, `params` and `arguments` are the one product.
    """
    jobs: Iterable[Words] = (
        tuple(words)
        for axes in (products or {"all": {}}).values()
        for words in _product(parse([*(f"{key}={value}" for key, value in {**params, **axes}.items()), *arguments]))
    )
    return list(dict.fromkeys(jobs))


def _product(overrides: list[Override]) -> list[list[str]]:
    return BasicSweeper.split_arguments(overrides, max_batch_size=None)[0]
