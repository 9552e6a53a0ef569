"""Compiles texts that are written in a test."""

from __future__ import annotations

import json

from inspect_agent.lang.compile import Compiled, Reading, compile_texts
from inspect_agent.lang.files import Text, Texts
from inspect_agent.lang.problems import Wrong, render
from inspect_agent.lang.report import Findings
from inspect_agent.model import wire
from inspect_agent.model.config import Config
from inspect_agent.model.rule import Rule
from tests.lang.words import VOCABULARY

ROUTES = """
send alerts via log
send alerts to ops via log
send alerts to boss via log
"""


def compiled(*rules: str, conf: str = ROUTES, file: str = "inspect.conf") -> Compiled:
    """What comes of these .inq files, called a.inq, b.inq, …, and this inspect.conf."""
    named = [Text(f"{chr(ord('a') + i)}.inq", text) for i, text in enumerate(rules)]
    texts = Texts(Text(file, conf), tuple(named))
    made = compile_texts(Reading(texts, _no_files, Findings(VOCABULARY.secrets())), VOCABULARY)
    return of_rules(made) if conf == ROUTES else made


def of_rules(made: Compiled) -> Compiled:
    """The same without what is said of ROUTES, which nearly no test uses up."""
    warnings = tuple(warning for warning in made.warnings if warning.file != "inspect.conf")
    config = made.config and made.config._replace(warnings=tuple(map(render, warnings)))
    return made._replace(config=config, warnings=warnings)


def config(*rules: str, conf: str = ROUTES) -> Config:
    """The same where it has to be sound."""
    made = compiled(*rules, conf=conf)
    assert made.config is not None, problems(made)
    return made.config


def rules_of(text: str, check: str = "check service x") -> tuple[Rule, ...]:
    """The rules below one check, which have to be sound."""
    made = config(f"{check}\n{text}")
    return made.host.rules + tuple(rule for service in made.services for rule in service.rules)


def problems(made: Compiled) -> str:
    """The problems and then the warnings, as people see them."""
    return "\n".join(render(problem) for problem in (*made.problems, *made.warnings))


def said(*rules: str, conf: str = ROUTES, file: str = "inspect.conf") -> list[str]:
    """The problems' first lines: place and message."""
    found = compiled(*rules, conf=conf, file=file)
    assert (found.config is None) == bool(found.problems)
    return [render(problem).split("\n")[0] for problem in found.problems]


def as_json(made: Config) -> str:
    """A configuration as the golden files hold it."""
    return json.dumps(wire.plain(made), indent=1, ensure_ascii=False) + "\n"


def _no_files(path: str) -> Wrong:
    return Wrong(f"no file {path}")
