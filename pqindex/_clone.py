"""`pqindex` in a clone, where `src` holds what an installation has in here."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

PACKAGE, SOURCE = __package__, Path(__file__).parents[1] / "src"
SHARED = ("config", "errors", "files", "interop", "library", "messages", "pruning", "sparsity")
"""Of `src`, what is in an installation."""


def share(path: list[str]) -> None:
    """Have modules of `pqindex`, whose `__path__` is given, be those of `src`.

    They are the same objects, so that each class is there once; beside a `src` of somebody else's they are of their
    own.
    """
    path.append(str(SOURCE))
    found = importlib.util.find_spec("src")
    if found is not None and list(found.submodule_search_locations or []) == [str(SOURCE)]:
        sys.meta_path.insert(0, _Same())


class _Same(MetaPathFinder, Loader):
    """Finds `src.library.masks` as `pqindex.library.masks`, and so on."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        return ModuleSpec(name, self) if package == PACKAGE and rest.partition(".")[0] in SHARED else None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module("src" + module.__name__.removeprefix(PACKAGE))
