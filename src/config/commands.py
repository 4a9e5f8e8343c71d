"""Where the choices are, and command lines that messages print: what a shell, and Hydra, take as they stand."""

import re
import shlex
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CONF = Path(__file__).resolve().parents[2] / "conf"
UNQUOTED = re.compile(r"[A-Za-z0-9_/\-+.%*@?|:]+")
"""What Hydra's grammar takes as one value without quotes."""


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
