"""Types, for people, and what is said of a value that is of another type."""

import dataclasses
import types
from enum import EnumType
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from src.config.part import not_allowed, shown
from src.errors import UserError

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}


def not_of_type(key: str, field: "dataclasses.Field[Any]", kind: Any, value: Any) -> UserError:
    """The error that says what a field of this type may be."""
    words = field.metadata.get("words")
    return not_allowed(key, value, f"one of {', '.join(words)}" if words else in_words(kind))


def in_words(kind: Any) -> str:
    """What a value of this type is.

    >>> in_words(list[int] | None), in_words(tuple[str, int]), in_words(Literal["a", True])
    ('a list as [A,B], each a whole number, or null', 'a list [text,a whole number]', 'one of a, true')
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        options = [in_words(option) for option in inner if option is not types.NoneType]
        return f"{' or '.join(options)}, or null" if types.NoneType in inner else " or ".join(options)
    if origin is Literal or isinstance(kind, EnumType):
        return f"one of {', '.join(map(shown, inner or kind.__members__))}"
    if origin is tuple and ... not in inner:
        return f"a list [{','.join(map(in_words, inner))}]"
    if (origin or kind) in (list, tuple, set, frozenset):
        return f"a list as [A,B]{f', each {in_words(inner[0])}' if inner and inner[0] is not Any else ''}"
    if (origin or kind) is dict:
        return "names and values as {a: 1}"
    return WORDS.get(kind, str(kind))
