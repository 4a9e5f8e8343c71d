"""Unions of products of values."""

import pytest

from src.sweeps.compose import Composer, hydra_with
from src.sweeps.jobs import expand


@pytest.fixture(scope="module")
def composer():
    with hydra_with(None):
        yield Composer()


@pytest.fixture
def words(composer):
    def expanded(params, products, *arguments):
        return [" ".join(job) for job in expand(params, products, composer.parse(arguments), composer)]

    return expanded


def test_without_products_it_is_the_product_of_all_axes(words):
    assert words({"a": "1,2"}, {}, "b=x,y") == ["a=1 b=x", "a=1 b=y", "a=2 b=x", "a=2 b=y"]


def test_products_are_joined_and_what_reads_the_same_is_there_once(words):
    products = {"one": {"b": "x,y"}, "two": {"b": "y,z"}}
    assert words({"a": 1}, products) == ["a=1 b=x", "a=1 b=y", "a=1 b=z"]


def test_the_command_line_replaces_an_axis_and_adds_others(words):
    products = {"one": {"b": "x,y"}, "two": {"b": "z"}}
    assert words({"a": "1,2"}, products, "a=3", "c=0,1") == [
        f"a=3 b={b} c={c}" for b in ("x", "y", "z") for c in (0, 1)
    ]


def test_a_product_replaces_an_axis_of_all(words):
    assert words({"a": 1}, {"one": {"a": 2}, "two": {}}) == ["a=2", "a=1"]


def test_ranges_choices_and_globs(words):
    assert words({}, {}, "seed=range(3)", "b=choice(x,y)")[::3] == ["seed=0 b=x", "seed=1 b=y"]
    assert words({}, {}, "protocol=glob(*)") == ["protocol=clean", "protocol=reference"]
