"""Explains texts that are written in a test."""

from __future__ import annotations

from pathlib import Path

from inspect_agent.export.explain import conf, page
from inspect_agent.export.explain.whole import Whole, whole
from inspect_agent.lang import secrets, statements
from inspect_agent.model.config import Config
from tests.lang.compiling import ROUTES, compiled, problems
from tests.lang.words import VOCABULARY

GOLDEN = Path(__file__).parent.parent.parent / "golden"


def everything(config: Config) -> Whole:
    """A configuration that was compiled with the words of tests."""
    return whole(config, VOCABULARY.families, frozenset(VOCABULARY.secrets() | secrets.NAMES))


def explained(rules: str, config: Config, line: int | None = None) -> str:
    """What is said of an .inq file, a.inq, or of one line of it."""
    parts = list(page.parts("a.inq", statements.read("inq", rules), config))
    if line is not None:
        parts = list(page.standing_at(line, parts))
    return page.page("a.inq", parts, everything(config))


def explained_conf(text: str, config: Config, file: str = "inspect.conf") -> str:
    """What is said of an inspect.conf."""
    return conf.page(file, statements.read("conf", text), everything(config))


def said(rules: str, line: int | None = None, conf: str = ROUTES) -> str:
    """What is said of rules, which have to be sound, or of one line of them."""
    made = compiled(rules, conf=conf)
    assert made.config is not None, problems(made)
    return explained(rules, made.config, line)


def explained_case(name: str) -> str:
    """What is said of the files of a case in tests/golden/ok."""
    rules, conf = GOLDEN / "ok" / f"{name}.inq", GOLDEN / "ok" / f"{name}.conf"
    rules_text = rules.read_text("utf-8") if rules.exists() else ""
    conf_text = conf.read_text("utf-8") if conf.exists() else ROUTES
    file = "inspeqtor.conf" if name.startswith("inspeqtor") else "inspect.conf"
    made = compiled(rules_text, conf=conf_text, file=file)
    assert made.config is not None, problems(made)
    texts = [explained(rules_text, made.config)] if rules.exists() else []
    texts += [explained_conf(conf_text, made.config, file)] if conf.exists() else []
    return "\n".join(texts)
