"""docs/language.md says what the language does: what is data in the code is compared with it."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from inspect_agent import registry
from inspect_agent.cli import paths
from inspect_agent.folder import CONFS, FOLDERS, HOST
from inspect_agent.lang import actions, comparisons, files, parse, routes, rules, secrets, syntax
from inspect_agent.lang.ast import VERBS
from inspect_agent.lang.params import OWN, SERVICE
from inspect_agent.lang.planned import PLANNED
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.settings import SETTINGS
from inspect_agent.lang.units import SUFFIXES, Quantity, amount, canonical
from inspect_agent.model.config import Settings
from inspect_agent.model.metric import Metric, Param, Scope, Unit
from inspect_agent.model.rule import Alert
from inspect_agent.model.target import Budget, ServiceCheck
from tests.lang.compiling import compiled, problems
from tests.lang.page import PAGE, between, blocks, rows, words

SCOPES: dict[str, tuple[Scope, ...]] = {
    "every check": ("host", "service", "probe"),
    "service": ("service",),
    "with `pidfile`": ("service",),
}
UNITS: dict[str, Unit] = {
    "bytes": "bytes",
    "percent": "percent",
    "seconds": "seconds",
    "a count": "count",
    "a plain number": "number",
}


def limits(read: Callable[..., object]) -> str:
    """What a value may be, as the page tells it: `1s to 1d`, `up to 1000`, or the words."""
    given = getattr(read, "keywords", {})
    if "choices" in given:
        return ", ".join(f"`{choice}`" for choice in given["choices"])
    least = canonical(given["least_s"], "seconds") if "least_s" in given else ""
    most = canonical(given["most_s"], "seconds") if "most_s" in given else given.get("most", "")
    if least and most:
        return f"{least} to {most}"
    return f"up to {most}" if most else f"at least {least}" if least else ""


def test_the_words_to_come() -> None:
    """The page lists exactly the words that the compiler calls not in this version."""
    listed = {kind: words(cell) for kind, cell in rows("kind")}
    assert listed == {kind: list(some) for kind, some in PLANNED.items()}


def test_the_parameters_of_checks() -> None:
    """Each check has those that the page gives it, in that order, with their limits."""
    found: dict[str, list[str]] = {scope: [] for scope in OWN}
    for cell, scopes, _, meaning in rows("parameter"):
        for word in words(cell):
            name, _, value = word.partition(" ")
            assert limits(SERVICE[name]) in meaning, name
            if not value.isupper():
                assert not isinstance(SERVICE[name](value.strip('"')), Wrong), word
            for scope in SCOPES[scopes]:
                found[scope].append(name)
    assert found == {scope: list(own) for scope, own in OWN.items()}


def test_the_defaults_of_parameters() -> None:
    """What counts where nothing was given is a setting that there is, or the model's default."""
    check = ServiceCheck("x", "x:1", Budget(1, 1.0))
    for cell, _, default, _ in rows("parameter"):
        for setting in words(default):
            assert setting.removeprefix("set ") in SETTINGS
        if default.isdecimal():
            (name,) = [word.split()[0] for word in words(cell)]
            assert SERVICE[name](default) == getattr(check, f"{name}_s")


def test_the_managers() -> None:
    """The page names those that there are."""
    (meaning,) = [row[3] for row in rows("parameter") if row[0] == "`manager NAME`"]
    assert set(words(meaning)) == set(registry.built_in("managers"))


def test_the_settings() -> None:
    """Each has its row, in order, with its default and its limits."""
    found = {name.strip("`"): (default, meaning) for name, default, meaning in rows("setting")}
    assert list(found) == list(SETTINGS)
    for name, (default, meaning) in found.items():
        field, read = SETTINGS[name]
        assert limits(read) in meaning, name
        assert getattr(Settings(), field) == _default(name, default), name


def _default(name: str, told: str) -> object:
    if name == "state_dir":
        assert told == paths.state_dir({}, 0)
        return ""
    if told in ("", "never", "the machine's"):
        return None if told == "never" else ""
    return SETTINGS[name][1](told)


def test_the_channels() -> None:
    """Each has its row, with its parameters in order."""
    found = {name.strip("`"): cell for name, cell in rows("channel")}
    declared = {
        name: list(registry.load(where).params)
        for name, where in registry.built_in("channels").items()
    }
    assert sorted(found) == sorted(declared)
    assert found.pop("gmail") == "as `email`, with the server known"
    gmail, email = declared.pop("gmail"), [_told(param) for param in declared["email"]]
    assert [_told(param) for param in gmail] == [told for told in email if told != "`smtp_server`"]
    for name, cell in found.items():
        shown = re.findall(r"`[^`]+`(?: \(several\))?", cell)
        assert shown == [_told(param) for param in declared[name]]


def _told(param: Param) -> str:
    name = " ".join((param.name, "|".join(param.choices))).strip()
    return f"`{name}`" + (" (several)" if param.many else "")


def test_the_services_that_are_gone() -> None:
    """The page names the chat services that were shut down."""
    assert tuple(words(between("\n| `null` |", " no longer exist"))) == routes.GONE


@pytest.mark.parametrize("row", rows("the metric is in"), ids=lambda row: row[0])
def test_the_units(row: list[str]) -> None:
    """All that the page says a unit takes is taken, and it says all that is one letter."""
    unit = UNITS[row[0]]
    metric = Metric("m", unit, "gauge", "")
    for word in words(row[1]):
        assert isinstance(amount(f"1{word}", metric), Quantity), word
    short = {suffix for suffix in SUFFIXES[unit] if len(suffix) == 1} - {"b"}
    assert short <= set(words(row[1]))


def test_every_unit_has_its_row() -> None:
    """None is left out."""
    assert [UNITS[name] for name, *_ in rows("the metric is in")] == list(SUFFIXES)


def test_the_operators() -> None:
    """The page lists them all."""
    told = between("compare a metric", "Services also have states")
    assert words(told.partition("one of")[2]) == list(comparisons._OPS)


def test_the_states() -> None:
    """The page names them all."""
    told = words(between("Services also have states:", "Tests are joined"))
    assert told == list(syntax._STATES)


def test_the_holds() -> None:
    """The page tells how many cycles there may be at most."""
    told = between("a single sample is enough. At most ", "\n\n")
    assert told.split()[0] == str(rules._MOST_CYCLES)
    assert f"or {rules._MOST_REMEMBERED} after `of`" in told


def test_the_actions() -> None:
    """The page explains every action and severity, and none that there is not."""
    told = between("**Actions**:", "\n\n")
    severities = words(between("`alert ROUTE as warning` (", ")"))
    assert severities == list(actions._SEVERITIES)
    assert f"{Alert('').severity} is the default" in " ".join(told.split())
    others = {*severities, "else", "inspectctl"}
    assert {word.split()[0] for word in words(told)} - others == VERBS


def test_the_keywords_that_win() -> None:
    """The page lists them; every other keyword may be a name where one can be left out."""
    listed = words(between("the keywords ", "\nwin, and"))
    assert set(listed) == syntax._RESERVED - {"set", "send"}
    grammar = Path(parse.__file__).with_name("inq.lark").read_text("utf-8")
    keywords = re.findall(r'"([a-z]+)" EDGE', grammar)
    assert set(listed) < set(keywords)
    for word in set(keywords) - set(listed):
        rule = f"if memory:rss > 1g then alert {word}, restart {word}"
        made = compiled(f"check service {word}\n{rule}", conf=f"send alerts to {word} via log")
        assert problems(made) == ""


def test_what_has_to_be_quoted() -> None:
    """The page lists the characters that a bare metric cannot have."""
    told = {*between("a quote, a bracket or one of `", "`").split(), *' "()'}
    needed = {
        character
        for character in string.punctuation + " "
        if comparisons.written(f"disk:/a{character}b") != f"disk:/a{character}b"
    }
    assert told == needed


def test_where_a_word_ends() -> None:
    """The page lists the characters that end a word; some of them are ordinary in inspect.conf."""
    listed = {*words(between("A word goes on until", "; in inspect.conf")), ",", '"'}
    ordinary = set(words(between("; in inspect.conf", "are ordinary")))
    for character in string.punctuation:
        name = f"a{character}b"
        made = compiled(f"check service {name}")
        assert (made.config is None) == (character in listed), character
        made = compiled(conf=f"set hostname {name}")
        assert (made.config is None) == (character in listed - ordinary), character


def test_the_files() -> None:
    """The page names the files and folders that are read, and how large they may be."""
    (folder,) = [block for block in blocks() if "host.inq" in block]
    named = [line.split()[0] for line in folder.splitlines()]
    assert named == [CONFS[0], HOST, *(f"{name}/*.inq" for name in FOLDERS)]
    assert f"inspect.conf, {CONFS[1]} is read" in " ".join(PAGE.split())
    sizes = [size // 1024**2 for size in (files.MOST_BYTES, files.MOST_BYTES_TOGETHER)]
    assert "at most {} MiB, all together {} MiB".format(*sizes) in PAGE


def test_the_secrets() -> None:
    """What the page says is never shown is not shown."""
    told = words(between("A problem never shows what stands behind", "and the like"))
    assert set(told) <= secrets.NAMES


def test_the_problem_that_is_shown() -> None:
    """The page shows what the compiler says."""
    (shown,) = [block for block in blocks() if "did you mean" in block]
    text = "check service redis\n\n  if memory:rsss > 500m then restart\n"
    told = problems(compiled(text)).replace("a.inq", "services.d/redis.inq")
    assert [line.removeprefix("    ") for line in shown.splitlines()] == told.splitlines()


def test_the_pages_own_examples() -> None:
    """The checks and statements that the page shows are sound as they stand."""
    checks = [block for block in blocks() if re.search(r"^ +check ", block, re.MULTILINE)]
    confs = [block for block in blocks() if re.search(r"^ +set ", block, re.MULTILINE)]
    assert checks
    assert confs
    for block in checks:
        assert problems(compiled(block)) == ""
    for block in confs:
        conf = block.replace("file:/etc/inspect-agent/chat-url", "json://localhost")
        assert problems(compiled("check host with owner chat", conf=conf)) == ""
