"""The command that makes runs like those of a study."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.figures.records.conf import composed
from src.figures.records.method import Method
from src.figures.records.study import Study, flatten

SECTIONS = ("dataset", "trainer", "protocol")
DERIVED = {"dataset.name", "trainer.name", "protocol.name", "trainer.train_size", "trainer.test_size"}
"""Keys that a group's choice sets, or that follow another key."""


def command(study: Study, scope: str, method: Method, seeds: Sequence[int]) -> str:
    """`python -m src.main ...` for a method and scope with the study's settings; `-m` where there are several seeds."""
    setting, config = study.setting, (study.runs or study.unfinished)[0].config
    choices = [
        f"dataset={setting.dataset}",
        f"model={setting.model}",
        f"prune={method.name}",
        f"trainer={setting.trainer}",
        f"protocol={setting.protocol}",
    ]
    words = [*choices, *_parameters(method), f"prune.scope={scope}", *_changes(config, tuple(choices))]
    words.append("seed=" + ",".join(str(seed) for seed in seeds))
    return " ".join(["python -m src.main", *words, *(["-m"] if len(seeds) > 1 else [])])


def _parameters(method: Method) -> list[str]:
    values = {"p": method.p, "q": method.q, "eta_r": method.eta_r, "gamma": method.gamma, "ratio": method.ratio}
    if method.beta != 0.9:
        values["beta"] = method.beta
    return [f"prune.{key}={value:g}" for key, value in values.items() if value is not None]


def _changes(config: Mapping[str, Any], choices: tuple[str, ...]) -> list[str]:
    """What the run set beyond its choices: `key=value` where they differ from what the choices alone give."""
    plain = flatten(composed(choices))
    has = flatten({section: config[section] for section in SECTIONS} | {"init_from": config.get("init_from")})
    has["prune.iterations"] = config["prune"]["iterations"]
    keys = [key for key in has if key in plain and key not in DERIVED and has[key] != plain[key]]
    return [f"{key}={'null' if has[key] is None else has[key]}" for key in keys if key != "dataset.root"]
