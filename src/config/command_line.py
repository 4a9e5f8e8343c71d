"""One grammar for the commands beside `src.main`, `key=value` typed by a dataclass, and for those that messages print.

A value is taken as it stands, without YAML: `output_dir=my runs #2` is a folder of that name. `~` is the home folder.
"""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from src.config import CONF
from src.config.typed import BOOLEANS
from src.errors import UserError

UNQUOTED = re.compile(r"[A-Za-z0-9_/\-+.%*@?|:]+")
"""What Hydra's grammar takes as one value without quotes."""
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
    except OSError as error:  # a full disk names no file
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}; destination=PATH writes elsewhere", file=sys.stderr)
    return 1


def read_settings(schema: type[T], arguments: Sequence[str]) -> T:
    """Arguments `key=value`, also spelt `--key value`, into a dataclass.

    Raises UserError for an unknown key or a value of the wrong type.
    """
    known = _keys(schema)
    given = {}
    words = iter(arguments)
    for argument in words:
        key, equals, value = argument.partition("=")
        if key.startswith("--"):
            value = value if equals else next(words, "")
            key, equals = key[2:].replace("-", "_"), equals or value
        if not equals:
            raise UserError(f"argument {argument!r} is not key=value; see --help")
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]}" if near else ""
            raise UserError(f"{key} is not a key{hint}. Keys: {', '.join(known)}")
        given[key] = _value(key, value, known[key])
    values = {key: value for key, value in given.items() if "." not in key}
    for name, nested in _nested(schema).items():
        values[name] = nested(**{key[len(name) + 1 :]: v for key, v in given.items() if key.startswith(f"{name}.")})
    return schema(**values)


def _keys(schema: type) -> dict[str, Any]:
    """Key -> type; those of a field whose default is a dataclass after its name and a dot."""
    nested, found = _nested(schema), dict[str, Any]()
    for name, kind in get_type_hints(schema).items():
        found |= {f"{name}.{key}": of for key, of in _keys(nested[name]).items()} if name in nested else {name: kind}
    return found


def _nested(schema: type) -> dict[str, type]:
    """Fields whose default is a dataclass, and that."""
    made = {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in fields(schema)}
    return {name: type(default) for name, default in made.items() if is_dataclass(default)}


def _value(key: str, text: str, kind: Any) -> Any:
    options = get_args(kind) if NoneType in get_args(kind) else (kind,)
    if text in ("null", "") and NoneType in options:
        return None
    (kind,) = (option for option in options if option is not NoneType)
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is Path:
        # Without the quotes that Hydra's grammar wants, so that a word may be copied from one command to another.
        quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
        return Path(text[1:-1].replace("\\'", "'") if quoted else text).expanduser()
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


def default_output_dir() -> Path:
    """`output_dir` of this machine's `conf/local/default.yaml`, else of `conf/config.yaml`: that of `src.main`."""
    for name in ("local/default.yaml", "config.yaml"):
        path = CONF / name
        values = _loaded(path.read_text(encoding="utf-8")) if path.is_file() else None
        if isinstance(values, dict) and values.get("output_dir"):
            return Path(str(values["output_dir"])).expanduser()
    return Path("outputs")


@cache
def _loaded(text: str) -> object:
    import yaml  # type: ignore[import-untyped]

    return yaml.safe_load(text)


def command(module: str, words: Iterable[str]) -> str:
    """`python -m <module> <words>`, each word quoted where a shell needs it.

    >>> command("src.main", ["prune.p=0.2,0.5", "output_dir='my runs'"])
    'python -m src.main prune.p=0.2,0.5 "output_dir=\\'my runs\\'"'
    """
    return " ".join(["python -m", module, *map(_quoted, words)])


def setting_word(key: str, value: object) -> str:
    """`key=value` as Hydra's command line, and ours, read it back.

    >>> setting_word("prune.p", 0.5), setting_word("init_from", None), setting_word("output_dir", "my runs #2")
    ('prune.p=0.5', 'init_from=null', "output_dir='my runs #2'")
    """
    return f"{key}={_text(value)}"


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    text = str(value)
    return text if UNQUOTED.fullmatch(text) else "'" + text.replace("'", "\\'") + "'"


def _quoted(word: str) -> str:
    """As `shlex.quote`, but with double quotes where the word has single ones and nothing that a shell expands."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)
