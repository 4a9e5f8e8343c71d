"""Command lines: read by one grammar, written so that a shell and Hydra take them."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.config.command_line import command, default_output_dir, read_settings, run_command, setting_word
from src.errors import UserError
from tests.support import ROOT


@dataclass(frozen=True)
class Nested:
    colour: Literal["red", "blue"] | None = None
    count: int | None = None


@dataclass(frozen=True)
class Settings:
    name: str = "x"
    folder: Path = Path("outputs")
    values: tuple[str, ...] | None = None
    on: bool = False
    plot: Nested = field(default_factory=Nested)


@pytest.mark.parametrize(
    ("word", "key", "value"),
    [
        ("folder=my runs #2", "folder", Path("my runs #2")),
        ("folder=lr=0.1/x", "folder", Path("lr=0.1/x")),
        ("folder='my runs #2'", "folder", Path("my runs #2")),
        ("folder=~/scratch", "folder", Path.home() / "scratch"),
        ("name={a: 1}", "name", "{a: 1}"),
        ("values=a, b", "values", ("a", "b")),
        ("values=null", "values", None),
        ("on=true", "on", True),
        ("plot.colour=blue", "plot", Nested(colour="blue")),
        ("plot.count=3", "plot", Nested(count=3)),
        ("--plot.count=3", "plot", Nested(count=3)),
        ("--folder=lr=0.1/x", "folder", Path("lr=0.1/x")),
    ],
)
def test_values_are_taken_as_they_stand(word, key, value):
    assert getattr(read_settings(Settings, [word]), key) == value


def test_a_key_with_dashes_takes_the_next_word():
    assert read_settings(Settings, ["--name", "a=b", "on=true", "--folder", "x"]) == Settings("a=b", Path("x"), on=True)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("nam=x", "did you mean name"),
        ("plot.color=red", "did you mean plot.colour"),
        ("folder", "not key=value"),
        ("--folder", "'--folder' is not key=value"),
        ("--nam=x", "did you mean name"),
        ("plot.colour=green", "plot.colour=green is not known; choose from red, blue"),
        ("plot.count=many", "plot.count=many is not allowed: it must be a whole number"),
        ("on=perhaps", "on=perhaps"),
    ],
)
def test_what_cannot_be_read_is_one_message(word, says):
    with pytest.raises(UserError, match=says):
        read_settings(Settings, [word])


@pytest.mark.parametrize("path", ["outputs", "my runs #2", "lr=0.1/x", "it's", "a,b", "~x", "C:\\x", "ä", "$HOME"])
def test_a_written_word_is_read_back_by_shell_hydra_and_us(path):
    word = setting_word("folder", Path(path))
    line = command("src.main", [word])
    shell = subprocess.run(
        ["sh", "-c", f"printf %s {line.split(' ', 3)[3]}"], check=True, capture_output=True, text=True
    )
    assert shell.stdout == word
    (override,) = OverridesParser.create().parse_overrides([word])
    assert str(override.value() if not hasattr(override.value(), "text") else override.value().text) == path
    if not path.startswith("~"):
        assert read_settings(Settings, [word]).folder == Path(path)


def test_numbers_and_nothing_are_words_too():
    values = [0.2, 1.0, 1e-05, 0.1234567891, None, True, ["a", "b c"]]
    words = [setting_word("k", value) for value in values]
    assert words == ["k=0.2", "k=1", "k=1e-05", "k=0.1234567891", "k=null", "k=true", "k=[a,'b c']"]


def test_errors_are_one_line_and_help_is_help(capsys, tmp_path):
    def wrong(_: list[str]) -> int:
        raise UserError("no")

    def unwritable(_: list[str]) -> int:
        (tmp_path / "file").write_text("")
        (tmp_path / "file" / "below").mkdir()
        return 0

    assert run_command([], "HELP", wrong) == 1
    assert capsys.readouterr().err == "error: no\n"
    assert run_command(["a=b", "--help"], "HELP", wrong) == 0
    assert capsys.readouterr().out == "HELP\n"
    assert run_command([], "HELP", unwritable) == 1
    assert "below: Not a directory; destination=PATH writes elsewhere" in capsys.readouterr().err


def test_output_that_nobody_reads_ends_quietly():
    code = "from src.config.command_line import run_command as r\nr([], '', lambda _: print('x' * 10**6) or 0)"
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{code}" | head -c 1'], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stderr == b""


def test_the_output_folder_is_that_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr("src.config.command_line.CONF", tmp_path)
    assert default_output_dir() == Path("outputs")
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "default.yaml").write_text("# @package _global_\noutput_dir: ~/runs\n")
    assert default_output_dir() == Path.home() / "runs"
