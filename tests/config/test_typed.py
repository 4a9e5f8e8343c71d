"""Settings of any type that a dataclass's field may have: read, told to a user, hashed and written down."""

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from src.config.part import Part
from src.config.settings import plain_settings, read_section
from src.config.typed import converted
from src.config.words import in_words
from src.errors import UserError
from src.store.digest import digest, settings_of


class Colour(Enum):
    red = 1
    blue = 2


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (Path, "a/b", Path("a/b")),
        (Colour, "blue", Colour.blue),
        (frozenset[str], ["b", "a"], frozenset({"a", "b"})),
        (set[int], ["1"], {1}),
        (tuple[float, int], [1, "2"], (1.0, 2)),
        (tuple[str, int], [1, 2], ("1", 2)),
        (tuple[int, float], [1, 2], (1, 2.0)),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (tuple, [1, "a"], (1, "a")),
        (list, [1, "a"], [1, "a"]),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, True], "true", True),
        (int | str, 3, 3),
        (int | str, "3", "3"),
        (int | str, "x", "x"),
        (str | int, 3, 3),
        (float | list[float], [1, 2], [1.0, 2.0]),
        (float | list[float], 1, 1.0),
        (int | str | None, None, None),
    ],
)
def test_a_value_is_read_as_its_type(kind, given, value):
    found = converted(kind, given)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (Colour, "green", "one of red, blue"),
        (Literal["a", "b"], "c", "one of a, b"),
        (tuple[float, int], [1.0], "a list [a number,a whole number]"),
        (frozenset[int], ["a"], "a list as [A,B], each a whole number"),
        (float | list[float], "x", "a number or a list as [A,B], each a number"),
    ],
)
def test_what_a_type_does_not_allow_is_told(kind, given, words):
    with pytest.raises((TypeError, ValueError, LookupError)):
        converted(kind, given)
    assert in_words(kind) == words


@dataclass(frozen=True)
class Rich(Part):
    where: Path = Path("a")
    colour: Colour = Colour.red
    names: frozenset[str] = frozenset()


def test_such_settings_are_hashed_named_and_written_down():
    made = read_section("prune", Rich, {"where": "b", "colour": "blue", "names": ["y", "x"]})
    as_json = {"where": "b", "colour": "blue", "names": ["x", "y"]}
    assert digest(settings_of(made)) == digest({**settings_of(made), **as_json})
    assert made.short == "rich-whereb-colourblue-names_x_y"
    plain: dict[str, Any] = plain_settings(made)
    assert json.loads(json.dumps(plain)) == plain
    del plain["_target_"]
    assert read_section("prune", Rich, plain) == made


def test_a_setting_without_a_default_must_be_given():
    @dataclass(frozen=True)
    class Asking(Part):
        size: int | None

    with pytest.raises(UserError, match="size='' is not allowed: it must be a whole number, or null"):
        read_section("", Asking, {})
