"""One grammar for the commands beside `src.main`: `key=value`, typed by a dataclass.

A value is taken as it stands, without YAML: `output_dir=my runs #2` is a folder of that name. `~` is the home folder.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from src.config.typed import BOOLEANS
from src.errors import UserError

CLOSED_PIPE = 141
"""Exit status of a command whose output is not wanted any more, as the shell has it for SIGPIPE."""
T = TypeVar("T")


def run_command(arguments: Sequence[str], help_text: str, body: Callable[[list[str]], int]) -> int:
    """The exit status of `body`; help, and errors that a user can mend as one message and status 1."""
    try:
        if {"-h", "--help", "help"} & set(arguments):
            print(help_text)
            status = 0
        else:
            status = body(list(arguments))
        sys.stdout.flush()
        return status
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return CLOSED_PIPE
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}; destination=PATH writes elsewhere", file=sys.stderr)
    return 1


def read_settings(schema: type[T], arguments: Sequence[str]) -> T:
    """Arguments `key=value` into a dataclass. Raises UserError for an unknown key or a value of the wrong type."""
    known = _keys(schema)
    given = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise UserError(f"argument {argument!r} is not key=value; see --help")
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]}" if near else ""
            raise UserError(f"{key} is not a key{hint}. Keys: {', '.join(known)}")
        given[key] = _value(key, value, known[key])
    return _filled(schema, given)


def _keys(schema: type, prefix: str = "") -> dict[str, Any]:
    """Key -> type; those of a field whose default is a dataclass after its name and a dot."""
    found: dict[str, Any] = {}
    for field in fields(schema):
        nested = _nested(field)
        kind = get_type_hints(schema)[field.name]
        found |= _keys(nested, f"{prefix}{field.name}.") if nested else {f"{prefix}{field.name}": kind}
    return found


def _filled(schema: type[T], given: dict[str, Any], prefix: str = "") -> T:
    values: dict[str, Any] = {}
    for field in fields(schema):  # type: ignore[arg-type]
        key = f"{prefix}{field.name}"
        if nested := _nested(field):
            values[field.name] = _filled(nested, given, f"{key}.")
        elif key in given:
            values[field.name] = given[key]
    return schema(**values)


def _nested(field: Any) -> type | None:
    made = field.default if field.default_factory is MISSING else field.default_factory()
    return type(made) if is_dataclass(made) else None


def _value(key: str, text: str, kind: Any) -> Any:
    options = get_args(kind) if NoneType in get_args(kind) else (kind,)
    if text in ("null", "") and NoneType in options:
        return None
    (kind,) = (option for option in options if option is not NoneType)
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is Path:
        return Path(_unquoted(text)).expanduser()
    if kind is bool:
        return _one_of(key, text.lower(), BOOLEANS)
    if get_origin(kind) is Literal:
        return _one_of(key, text, {choice: choice for choice in get_args(kind)})
    try:
        return kind(text)
    except ValueError:
        raise UserError(f"{key}={text} is not allowed: it must be {'a whole ' * (kind is int)}number") from None


def _one_of(key: str, text: str, choices: dict[str, Any]) -> Any:
    if text not in choices:
        raise UserError(f"{key}={text} is not known; choose from {', '.join(choices)}")
    return choices[text]


def _unquoted(text: str) -> str:
    """Without the quotes that Hydra's grammar wants, so that a word may be copied from one command to another."""
    return text[1:-1].replace("\\'", "'") if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
