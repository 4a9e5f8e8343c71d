"""What a part's code says, without comments, docstrings and layout. Imports neither PyTorch nor the module itself."""

import ast
import hashlib
import importlib.util
import sys
import sysconfig
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path

from src.config.part import Part

LENGTH = 32
"""Hexadecimal digits of a digest."""
STANDARD = sysconfig.get_path("stdlib")
"""Folder of Python's own modules."""


def code_digest(target: type) -> str:
    """Digest of a class: its name, and the syntax trees of its module and of what that imports.

    Of a part of ours these are the imports from its folder under `src`, as `src.models`. Of others' parts they are all
    but `src`, PyTorch, Python's own modules and installed packages other than the part's; the digests of parts that the
    class derives from enter, too. Names and places of files do not: a copied module is the same part. Nor do modules
    that only say what a kind of part is, as `src.models.model`, with the names and checks of all parts of the kind.
    """
    parts = [base for base in target.__mro__ if issubclass(base, Part) and base is not Part]
    kinds = frozenset(base.__module__ for base in parts if Part in base.__bases__)
    bases = () if _is_ours(target.__module__) else (base for base in parts[1:] if Part not in base.__bases__)
    return _digest(target.__module__, target.__qualname__, kinds, tuple(map(code_digest, bases)))


@cache
def _digest(start: str, name: str, kinds: frozenset[str], bases: tuple[str, ...]) -> str:
    modules = [module for module in _reached(start) if module == start or module not in kinds]
    return hashlib.sha256("\n".join([name, *sorted(map(_tree, modules)), *bases]).encode()).hexdigest()[:LENGTH]


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "src"


def _enters(module: str, start: str) -> bool:
    """Whether `module`, which is imported by a part's module `start` or on its behalf, is looked into."""
    words, own = module.split("."), start.split(".")
    if _is_ours(start):
        return words[:2] == own[:2]
    return words[0] == own[0] or (words[0] not in ("src", "torch") and _is_local(words[0]))


@cache
def _is_local(top: str) -> bool:
    """Whether a module or package of this name is in a folder that is neither Python's own nor of installed ones."""
    spec = _spec(top)
    places = [Path(place) for place in (*(spec.submodule_search_locations or ()), spec.origin or "")] if spec else []
    installed = [p for p in places if p.is_relative_to(STANDARD) or {"site-packages", "dist-packages"} & {*p.parts}]
    return any(place.is_absolute() for place in places) and not installed


def _reached(start: str) -> set[str]:
    """Modules that `start` imports, at any depth and anywhere in their code, as far as they enter, and itself."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in found or _source(module) is None:
            continue
        found.add(module)
        waiting += [name for name in _imports(module) if _enters(name, start)]
    return found


def _imports(module: str) -> list[str]:
    """Absolute names that a module imports; of `from a import b` both `a` and `a.b`, which may be a module."""
    names: list[str] = []
    for node in ast.walk(ast.parse(_source(module) or b"")):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), _parent(module))
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def _parent(module: str) -> str:
    path = _path(module)
    return module if path is not None and path.name == "__init__.py" else module.rpartition(".")[0]


@cache
def _spec(module: str) -> ModuleSpec | None:
    """Where a module is; nothing is imported but the packages around it."""
    parent = module.rpartition(".")[0]
    if parent and getattr(_spec(parent), "submodule_search_locations", None) is None:
        return None  # looking into what is no package would import it
    try:
        return importlib.util.find_spec(module)
    except Exception:  # what a package says when it is imported is anyone's
        return None


@cache
def _path(module: str) -> Path | None:
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


@cache
def _source(module: str) -> bytes | None:
    path = _path(module)
    return None if path is None else path.read_bytes()


@cache
def _tree(module: str) -> str:
    return _written(_source(module) or b"")


def _written(source: bytes) -> str:
    """A source's syntax tree without docstrings, as Python 3.11 writes it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:]  # type: ignore[attr-defined]
        if isinstance(node, ast.JoinedStr):  # 3.12 has empty text in some
            node.values = [part for part in node.values if getattr(part, "value", None) != ""]
        if getattr(node, "type_params", None) == []:  # 3.12
            del node.type_params  # type: ignore[attr-defined]
    return ast.dump(tree, **({"show_empty": True} if sys.version_info >= (3, 13) else {}))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
