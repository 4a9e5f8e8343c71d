"""Values of the types that settings have, and what is said where they are of another type."""

import dataclasses
import types
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from src.config.part import not_allowed

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@cache
def types_of(cls: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, by name."""
    return get_type_hints(cls)


def read_value(key: str, field: "dataclasses.Field[Any]", kind: Any, value: Any) -> Any:
    """`value` as the field's type: text is read as what it says. Raises UserError, which says what is allowed."""
    words = field.metadata.get("words")
    if words and isinstance(value, bool):
        return str(value).lower()  # a word may be `true`
    with suppress(TypeError, ValueError, OverflowError, LookupError):
        return converted(kind, value)
    raise not_allowed(key, value, f"one of {', '.join(words)}" if words else in_words(kind))


def converted(kind: Any, value: Any) -> Any:
    """The same for a type alone. Raises TypeError, ValueError, OverflowError or LookupError.

    >>> converted(int | None, "3"), converted(list[float], [1, "2e3"]), converted(bool, "no"), converted(str, 1)
    (3, [1.0, 2000.0], False, '1')
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or (value is None and types.NoneType in inner):
        return value
    if origin in (types.UnionType, Union):
        (kind,) = (option for option in inner if option is not types.NoneType)
        return converted(kind, value)
    if origin in (list, tuple, dict) or kind in (list, tuple, dict):
        return _collected(origin or kind, inner, value)
    if not isinstance(value, str | int | float):
        raise TypeError(value)
    if kind is bool:
        return BOOLEANS[str(value).lower()]
    if kind in (int, float):
        return _number(kind, value)
    return kind(str(value))


def in_words(kind: Any) -> str:
    """A type, for people.

    >>> in_words(list[int] | None)
    'a list as [A,B], each a whole number, or null'
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        options = [in_words(option) for option in inner if option is not types.NoneType]
        return f"{' or '.join(options)}, or null" if types.NoneType in inner else " or ".join(options)
    if (origin or kind) in (list, tuple):
        return f"a list as [A,B]{f', each {in_words(inner[0])}' if inner and inner[0] is not Any else ''}"
    if (origin or kind) is dict:
        return "names and values as {a: 1}"
    return WORDS.get(kind, str(kind))


def _collected(kind: type, inner: tuple[Any, ...], value: Any) -> Any:
    if kind is dict:
        if not isinstance(value, dict):
            raise TypeError(value)
        key_kind, value_kind = inner or (Any, Any)
        return {converted(key_kind, key): converted(value_kind, content) for key, content in value.items()}
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return kind(converted(inner[0] if inner else Any, entry) for entry in value)


def _number(kind: type, value: str | float) -> Any:
    """A number; text is read where it is one, in ASCII digits; no truth, and nothing rounded, is a whole number."""
    if isinstance(value, bool) or (isinstance(value, float) and kind is int):
        raise TypeError(value)
    if isinstance(value, str) and not value.isascii():
        raise ValueError(value)
    return kind(value)
