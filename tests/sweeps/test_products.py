"""Unions of products of values."""

from hydra.core.override_parser.overrides_parser import OverridesParser

from src.experiments.products import expand


def words(params, products, *arguments):
    parser = OverridesParser.create()
    return [" ".join(job) for job in expand(params, products, arguments, parser.parse_overrides)]


def test_without_products_it_is_the_product_of_all_axes():
    assert words({"a": "1,2"}, {}, "b=x,y") == ["a=1 b=x", "a=1 b=y", "a=2 b=x", "a=2 b=y"]


def test_products_are_joined_and_what_reads_the_same_is_there_once():
    products = {"one": {"b": "x,y"}, "two": {"b": "y,z"}}
    assert words({"a": 1}, products) == ["a=1 b=x", "a=1 b=y", "a=1 b=z"]


def test_the_command_line_replaces_an_axis_and_adds_others():
    products = {"one": {"b": "x,y"}, "two": {"b": "z"}}
    assert words({"a": "1,2"}, products, "a=3", "c=0,1") == [
        f"a=3 b={b} c={c}" for b in ("x", "y", "z") for c in (0, 1)
    ]


def test_a_product_replaces_an_axis_of_all():
    assert words({"a": 1}, {"one": {"a": 2}, "two": {}}) == ["a=2", "a=1"]
