"""Parts that a user may replace: each a frozen dataclass, whose fields are its settings, limits and identity.

A method, a score, a rewinding rule, a model, a data set, an optimizer and a learning-rate schedule are parts. YAML
names the class by `_target_`; the class is its own schema. Imports no PyTorch: settings are read without it, so a part
of this repository imports it inside its methods.
"""

import dataclasses
import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, ClassVar

from ..errors import UserError

LARGEST = 2**31 - 1
"""Of whole numbers that PyTorch, NumPy or the operating system take."""
FINITE = 1e30
"""Of other numbers: float32 holds it, and what is added to it."""


def setting(
    default: Any = dataclasses.MISSING,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    identity: bool = True,
) -> Any:
    """A dataclass field with limits; `identity=False` where it does not enter what the part computes.

    Numbers without a limit above or below are within LARGEST or, where they are not whole, FINITE; `at_most=math.inf`
    allows infinity.
    """
    limits = {"above": above, "at_least": at_least, "below": below, "at_most": at_most}
    metadata = {"limits": {name: value for name, value in limits.items() if value is not None}, "identity": identity}
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: default.copy(), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def choice(*words: str, default: str | None = None) -> Any:
    """A dataclass field that is one of `words`; the first by default."""
    return dataclasses.field(default=default or words[0], metadata={"words": words})


def part(kind: type, default: "Part") -> Any:
    """A dataclass field that holds a part of a `kind` of its own, as a method holds its score."""
    return dataclasses.field(default=default, metadata={"part": kind, "identity": True})


@dataclass(frozen=True)
class Part:
    """What all parts have in common; `largest` is the limit of its whole numbers that have no other."""

    largest: ClassVar[int] = LARGEST

    @classmethod
    def kind(cls) -> str:
        """The class's name in snake_case: `LotteryTicket` is `lottery_ticket`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @property
    def short(self) -> str:
        """A short name, for folders and tables: the kind, and each setting that is not at its default."""
        return safe_name("-".join([self.kind(), *self.changes()]))

    @property
    def label(self) -> str:
        """What a reader of a figure's legend is told."""
        return self.short.replace("_", " ")

    def changes(self) -> list[str]:
        """`name` and value of each setting that is not at its default."""
        return list(self.changed().values())

    def changed(self) -> dict[str, str]:
        """The same by the setting's name; parts within the part have names of their own."""
        told = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.metadata.get("identity", True) and value != default_of(field) and not isinstance(value, Part):
                value = plain(value)
                told[field.name] = f"{field.name}{value:g}" if isinstance(value, float) else f"{field.name}{value}"
        return told

    def check(self, key: str) -> None:
        """Raise UserError where a setting is out of its limits; `key` is the part's place, as in `prune`.

        A part with conditions between its settings extends this.
        """
        check_fields(self, key)


def check_fields(settings: Any, key: str = "") -> None:
    """Raise UserError where a field of a dataclass, or of one within it, is not what `setting` and `choice` allow."""
    for field in dataclasses.fields(settings):
        value, name = getattr(settings, field.name), f"{key}.{field.name}" if key else field.name
        if isinstance(value, Part):
            value.check(name)
        elif dataclasses.is_dataclass(value):
            check_fields(value, name)
        elif words := field.metadata.get("words"):
            require(value in words, name, value, f"one of {', '.join(words)}")
        else:
            limits = field.metadata.get("limits", {})
            _check_value(name, value, limits, getattr(settings, "largest", LARGEST))


def _check_value(key: str, value: Any, limits: Mapping[str, float], largest: int) -> None:
    """Raise UserError where a value, or one in a list or dictionary, is out of the limits, or text is not for files."""
    if isinstance(value, str):
        valid = "\0" not in value and value.encode(errors="replace") == value.encode(errors="surrogatepass")
        require(valid, key, value, "text of Unicode characters, without NUL")
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            _check_value(f"{key}[{index}]", entry, limits, largest)
    elif isinstance(value, dict):
        for name, entry in value.items():
            _check_value(key, name, {}, largest)
            _check_value(f"{key}.{name}", entry, limits, largest)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        bound = largest if isinstance(value, int) else FINITE
        upper = {} if {"below", "at_most"} & set(limits) else {"at_most": bound}
        lower = {} if {"above", "at_least"} & set(limits) else {"at_least": -bound}
        within(key, value, **{**limits, **upper, **lower})


def default_of(field: "dataclasses.Field[Any]") -> Any:
    """A field's default, or MISSING."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def plain(value: object) -> object:
    """A setting as JSON and YAML know it: a path is text, a set a list in order, an Enum's member its name."""
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value), key=str)
    return value.name if isinstance(value, Enum) else str(value) if isinstance(value, PurePath) else value


def require(holds: bool, key: str, value: object, allowed: str, example: str = "") -> None:
    """Raise the error below unless `holds`."""
    if not holds:
        raise not_allowed(key, value, allowed, example)


def not_allowed(key: str, value: object, allowed: str, example: str = "") -> UserError:
    """The error that names the key, its value and what is allowed."""
    return UserError(
        f"{key}={shown(value)} is not allowed: it must be {allowed}{f'; for example {example}' * bool(example)}"
    )


def shown(value: object) -> str:
    """A value as messages show it: as it is typed, one line, not too long."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = text if text and text.isprintable() else ascii(text)
    return text if len(text) <= 200 else f"{text[:40]}... ({len(text)} characters)"


def within(
    key: str,
    value: float | None,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> None:
    """Raise UserError where a number is not within its limits, or not a number; None is always allowed."""
    if value is None:
        return
    words = {"above": above, "at least": at_least, "below": below, "at most": at_most}
    allowed = " and ".join(
        f"{word} {limit if isinstance(limit, int) else f'{limit:g}'}"
        for word, limit in words.items()
        if limit is not None and abs(limit) < math.inf
    )
    holds = (
        value == value  # not NaN; math.isnan cannot take whole numbers of any length
        and (above is None or value > above)
        and (at_least is None or value >= at_least)
        and (below is None or value < below)
        and (at_most is None or value <= at_most)
    )
    require(holds, key, value, allowed or "a number")


def safe_name(text: str) -> str:
    """`text` as one part of a path: letters, digits and `._-`, nothing that leads elsewhere.

    >>> safe_name("../../x y")
    'x_y'
    """
    return re.sub(r"[^A-Za-z0-9._=-]+", "_", text).strip("._") or "unnamed"


def cut_name(name: str, longest: int) -> str:
    """`name` in at most `longest` letters, 9 or more: a longer one ends in eight digits that tell it from others.

    >>> cut_name("lottery_ticket", 12)
    'lot-f3fd4794'
    """
    return name if len(name) <= longest else f"{name[: longest - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
