"""Parts: names, limits and what they are called."""

from dataclasses import dataclass
from typing import Any

import pytest

from src.config.part import Part, cut_name, part, safe_name, setting
from src.errors import UserError


@dataclass(frozen=True)
class Inner(Part):
    size: int = setting(1, at_least=1)


@dataclass(frozen=True)
class ResNetLike(Part):
    width: int = setting(64, at_least=1, at_most=4096)
    rate: float = setting(0.5, above=0, below=1)
    sizes: list[int] = setting([1, 2])
    path: str = setting("here", identity=False)
    inner: Any = part(Inner, Inner())


def test_the_short_name_tells_what_is_not_at_its_default():
    assert ResNetLike.kind() == "res_net_like"
    assert ResNetLike().short == "res_net_like"
    assert ResNetLike(width=32, rate=0.25, path="there").short == "res_net_like-width32-rate0.25"
    assert ResNetLike(sizes=[3]).short == "res_net_like-sizes_3"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 0}, "model.width=0 is not allowed: it must be at least 1 and at most 4096"),
        ({"rate": 1.0}, "model.rate=1.0 is not allowed: it must be above 0 and below 1"),
        ({"rate": float("nan")}, "model.rate=nan is not allowed"),
        ({"inner": Inner(0)}, "model.inner.size=0 is not allowed: it must be at least 1"),
    ],
)
def test_values_out_of_their_limits_are_named(settings, message):
    with pytest.raises(UserError, match=message):
        ResNetLike(**settings).check("model")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../x", "x"),
        ("a/b\\c", "a_b_c"),
        ("a b\n<c>", "a_b_c"),
        ("..", "unnamed"),
        ("sap-0.5-1-0-1", "sap-0.5-1-0-1"),
    ],
)
def test_a_safe_name_leads_nowhere_else(text, name):
    assert safe_name(text) == name


def test_names_of_more_letters_are_cut_and_told_apart():
    one, other = (cut_name("a" * size, 12) for size in (13, 14))
    assert cut_name("a" * 12, 12) == "a" * 12
    assert one != other
    assert (one[:4], len(one), len(other)) == ("aaa-", 12, 12)
