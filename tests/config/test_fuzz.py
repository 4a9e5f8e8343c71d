"""Any value at any key: settings, or one message. Never another error, never long."""

import dataclasses
import json
import math
import os
import resource
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hydra.errors import HydraException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf.errors import OmegaConfBaseException

from src.config.command_line import setting_word
from src.config.schema import Config
from src.config.settings import plain_settings
from src.errors import UserError, message
from src.run import Run
from src.sweeps.compose import Composer, check_words, hydra_with
from tests.config.test_compositions import GROUPS, NEEDS_A_SETTING, NESTED

MISTAKES = (UserError, HydraException, OmegaConfBaseException)
SLOWEST_S = 5.0
"""Of processor time: other work on the machine does not count."""
LARGEST_MIB = 300
"""That the process may grow by in 500 attempts."""

CHOICES = [f"{group}={name}" for group, names in (GROUPS | NESTED).items() for name in names]
FEW = [(), ("prune=one_shot", "model=cnn", "trainer/optimizer=torch"), ("prune/score=snip", "trainer/schedule=step")]
FEW += [("model=wresnet28x2", "trainer/optimizer=adam"), ("prune/rewind=fine_tune", "trainer/schedule=linear")]
numbers = st.one_of(
    st.sampled_from([0, 1, -1, 2**16, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, -(2**63), 10**400, -(10**400)]),
    st.integers(-3, 300),
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 5e-324, 1e-45, 1e30, 1e31, 1.8e308, -0.0]),
)
texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "\0", "a\0b", "٣", "²", "½", "\ud800", "~", "~nobody", "/", "..", "a\nb", "x" * 5000, "1e3"]
    ),
    st.sampled_from(
        ["null", "true", "nan", "0x10", "1_0", "${seed}", "${nothing}", "???", "a,b", "range(3)", "{", "]"]
    ),
)
scalars = st.one_of(numbers, texts, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


def keys(config: Config) -> list[str]:
    """Dotted names of all settings, sections and classes of parts."""
    return [*_below("", plain_settings(config)), "nothing", "prune.nothing", "seed.x"]


def _below(prefix: str, node: dict[str, object]) -> Iterator[str]:
    for name, value in node.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from _below(f"{prefix}{name}.", value)


def as_word(key: str, value: object) -> str:
    """`key=value` for Hydra; text with and without its quotes."""
    if isinstance(value, dict):
        return f"{key}={{{','.join(as_word(name, entry).replace('=', ':', 1) for name, entry in value.items())}}}"
    return (
        f"{key}={value}" if isinstance(value, int | float) and not isinstance(value, bool) else setting_word(key, value)
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Outcomes:
    """What became of what was tried, all within one Hydra, whose files are read once."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.known: dict[tuple[str, ...], list[str]] = {}
        self.renew()

    def renew(self) -> None:
        """Another composer: one keeps all that it has composed."""
        self.composer = Composer()
        self.memory_mib = _peak_mib()

    def within_memory(self) -> bool:
        return _peak_mib() - self.memory_mib < LARGEST_MIB

    def keys(self, chosen: tuple[str, ...]) -> list[str]:
        if chosen not in self.known:
            self.known[chosen] = keys(self.composer.settings(chosen))
        return self.known[chosen]

    def attempt(self, words: tuple[str, ...]) -> None:
        """Compose; what succeeds must have a name, an identity, and be written as JSON."""
        start = time.process_time()
        try:
            check_words(words)
            config = self.composer.settings(words)
            Run(config).name.encode()
            json.dumps(plain_settings(config)).encode()
            self.counts["settings"] += 1
        except MISTAKES as error:
            told = message(error)
            assert told.strip(), words
            assert len(told) < 2000 + 3 * sum(map(len, words)), told
            self.counts[type(error).__name__] += 1
        assert self.within_memory(), words
        assert time.process_time() - start < SLOWEST_S, words
        if self.counts.total() % 500 == 0:
            self.renew()


@pytest.fixture(scope="module")
def outcomes() -> Iterator[Outcomes]:
    with hydra_with(None):
        yield Outcomes()


def fuzz(outcomes: Outcomes, examples: int, bases: list[tuple[str, ...]]) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.sampled_from(bases), st.data())
    def one(chosen: tuple[str, ...], data: st.DataObject) -> None:
        needed = tuple(NEEDS_A_SETTING[name] for word in chosen if (name := word.partition("=")[2]) in NEEDS_A_SETTING)
        key = data.draw(st.sampled_from(outcomes.keys((*chosen, *needed))))
        outcomes.attempt((*chosen, *needed, as_word(key, data.draw(values))))

    one()


def test_any_value_at_any_key_is_settings_or_a_message(outcomes: Outcomes) -> None:
    fuzz(outcomes, 300, FEW)
    assert outcomes.counts["settings"] > 10
    assert outcomes.counts["UserError"] > 50


VALUES = int(os.environ.get("TORTURE_VALUES", "10000"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_values(outcomes: Outcomes, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz(outcomes, VALUES, [(), *((choice,) for choice in CHOICES)])
    with capsys.disabled():
        print(f"\n{sum(outcomes.counts.values())} configurations fuzzed: {dict(outcomes.counts)}")
    assert sum(outcomes.counts.values()) >= VALUES


ABSURD = [
    "1" + "0" * 400,
    "9" * 5000,
    str(2**31),
    str(2**64),
    str(-(2**63)),
    "nan",
    "-inf",
    "'\0'",
    "[1]",
    "{a: 1}",
    "''",
]


@pytest.mark.parametrize("value", ABSURD)
def test_absurd_numbers_at_every_number(outcomes: Outcomes, value: str) -> None:
    """Of the default choices; the rest is for the fuzzer."""
    config = outcomes.composer.settings(())
    for key in outcomes.keys(()):
        default: object = config
        for name in key.split("."):
            default = getattr(default, name, None)
        fits = isinstance(default, float) and value in (str(2**31), str(2**64))  # no less than 1e30
        if isinstance(default, int | float) and not isinstance(default, bool) and not fits:
            with pytest.raises(UserError, match=key.rsplit(".", 1)[-1]):
                outcomes.composer.settings((f"{key}={value}",))


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("trainer.lr=1" + "0" * 400, "... (401 characters) is not allowed: it must be a number"),
        ("seed=" + "9" * 5000, "cannot be read: Exceeds the limit (4300 digits)"),
        ("seed=" + "[" * 500 + "]" * 500, "cannot be read: maximum recursion depth exceeded"),
        ("dataset=3", "dataset=3 is not allowed: choose one of cifar10, cifar100"),
        ("dataset=[0]", "dataset=[0] is not allowed: choose one of cifar10, cifar100"),
        ("dataset='\0'", "is not allowed: choose one of cifar10, cifar100"),
        ("dataset=" + "x" * 5000, "... (5008 characters) is not allowed: choose one of cifar10, cifar100"),
        ("model.hidden=x", "model.hidden=x is not allowed: it must be a list as [A,B], each a whole number"),
        ("model.hidden=[1.5]", "model.hidden=[1.5] is not allowed: it must be a list as [A,B], each a whole number"),
        ("model.hidden=[70000]", "model.hidden[0]=70000 is not allowed: it must be at least -65536 and at most 65536"),
        ("threads=x", "threads=x is not allowed: it must be a whole number, or null"),
        ("record.weights=2", "record.weights=2 is not allowed: it must be true or false"),
        ("record=null", "record=null is not allowed: it is a section, with masks, weights, networks, neurons, picture"),
        ("trainer.epochs=null", "trainer.epochs=null is not allowed: it must be a whole number"),
        ("trainer.lrr=1", "unknown key trainer.lrr: did you mean lr?"),
        ("dataset.root='~nosuch/x'", "dataset.root=~nosuch/x is not allowed: there is no such user"),
        ("experiment_name='a\0b'", "experiment_name='a\\x00b' is not allowed: it must be text"),
        ("prune.exclude=['\0']", "prune.exclude[0]='\\x00' is not allowed: it must be text"),
        (
            "trainer.optimizer.weight_decay=inf",
            "weight_decay=inf is not allowed: it must be at least 0 and at most 1e+30",
        ),
        ("prune._target_=src.pruning.method.Method", "it must name a class derived from src.pruning.method.Method"),
    ],
)
def test_what_was_found_is_one_message(outcomes: Outcomes, word: str, says: str) -> None:
    with pytest.raises(UserError) as told:
        outcomes.composer.settings((word,))
    assert says in message(told.value)


def test_limits_and_types_of_numbers_do_not_stop_what_worked(outcomes: Outcomes) -> None:
    words = ("trainer.clip_norm=inf", "record.weights=yes", "threads=null", "experiment_name=3", "prune.eta_r=1")
    config = outcomes.composer.settings(words)
    assert (config.trainer.clip_norm, config.record.weights, config.experiment_name) == (math.inf, True, "3")
    assert type(config.prune.eta_r) is float
    assert dataclasses.replace(config, overrides=[]).choices.keys() >= {"dataset", "model", "prune", "trainer"}
    assert not {"schema", "local"} & config.choices.keys()
