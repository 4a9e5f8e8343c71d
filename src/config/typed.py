"""Values of the types that settings have."""

import dataclasses
import types
from contextlib import suppress
from enum import EnumType
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from src.config.part import shown

BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@cache
def types_of(cls: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, by name."""
    return get_type_hints(cls)


def read_value(key: str, field: "dataclasses.Field[Any]", kind: Any, value: Any) -> Any:
    """`value` as the field's type: text is read as what it says. Raises UserError, which says what is allowed."""
    if "words" in field.metadata and isinstance(value, bool):
        return str(value).lower()  # a word may be `true`
    with suppress(TypeError, ValueError, OverflowError, LookupError):
        return converted(kind, value)
    from src.config.words import not_of_type

    raise not_of_type(key, field, kind, value)


def converted(kind: Any, value: Any) -> Any:
    """The same for a type alone. Raises TypeError, ValueError, OverflowError or LookupError.

    >>> converted(int | None, "3"), converted(list[float], [1, "2e3"]), converted(bool, "no"), converted(str, 1)
    (3, [1.0, 2000.0], False, '1')
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or (value is None and types.NoneType in inner):
        return value
    if origin in (types.UnionType, Union):
        return value if type(value) in inner else _one_of(inner, value)
    if origin is Literal:
        return {shown(word): word for word in inner}[shown(value)]
    if (origin or kind) in (list, tuple, set, frozenset, dict):
        return _collected(origin or kind, inner, value)
    if not isinstance(value, str | int | float):
        raise TypeError(value)
    if kind is bool:
        return BOOLEANS[str(value).lower()]
    if kind in (int, float):
        return _number(kind, value)
    return kind[str(value)] if isinstance(kind, EnumType) else kind(str(value))


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    """The same for the first type that it can be."""
    for kind in kinds:
        with suppress(TypeError, ValueError, OverflowError, LookupError):
            return converted(kind, value)
    raise TypeError(value)


def _collected(kind: type, inner: tuple[Any, ...], value: Any) -> Any:
    if kind is dict:
        if not isinstance(value, dict):
            raise TypeError(value)
        key_kind, value_kind = inner or (Any, Any)
        return {converted(key_kind, key): converted(value_kind, content) for key, content in value.items()}
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    each = inner if kind is tuple and inner and inner[-1] is not ... else [*inner, Any][:1] * len(value)
    return kind(converted(of, entry) for of, entry in zip(each, value, strict=True))


def _number(kind: type, value: str | float) -> Any:
    """A number; text is read where it is one, in ASCII digits; no truth, and nothing rounded, is a whole number."""
    if isinstance(value, bool) or (isinstance(value, float) and kind is int):
        raise TypeError(value)
    if isinstance(value, str) and not value.isascii():
        raise ValueError(value)
    return kind(value)
