"""What came of a configuration, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import NamedTuple

from inspect_agent.export import values
from inspect_agent.lang.compile import Compiled
from inspect_agent.lang.problems import render
from inspect_agent.model.config import Config, rules
from inspect_agent.model.rule import Rule


def show_text(root: str, compiled: Compiled, passes: bool) -> None:
    """Problems and warnings on standard error, and on standard output what was understood."""
    for problem in (*compiled.problems, *compiled.warnings):
        print(render(problem), file=sys.stderr)
    if compiled.config is None:
        errors = values.many(len(compiled.problems), "error")
        print(f"{root}: {errors}; the agent would not load it", file=sys.stderr)
    elif not passes:
        warnings = values.many(len(compiled.warnings), "warning")
        print(f"{root}: {warnings}; --strict allows none", file=sys.stderr)
    else:
        print(_understood(root, compiled.config))


def show_json(root: str, compiled: Compiled, passes: bool) -> None:
    """One object on standard output; docs/operations.md describes it."""
    problems = [problem._asdict() for problem in (*compiled.problems, *compiled.warnings)]
    counts = _counts(compiled.config) if compiled.config else _Counts()
    print(json.dumps({"root": root, "ok": passes, "problems": problems, **counts._asdict()}))


class _Counts(NamedTuple):
    """What a configuration holds; None where it is not known, for it has a problem."""

    services: int | None = None
    probes: int | None = None
    rules: int | None = None
    routes: int | None = None


def _counts(config: Config) -> _Counts:
    routes = {destination.route for destination in config.destinations}
    every = sum(1 for _ in rules(config))
    return _Counts(len(config.services), len(config.probes), every, len(routes))


def _understood(root: str, config: Config) -> str:
    said = [
        values.many(count, noun.removesuffix("s"))
        for noun, count in _counts(config)._asdict().items()
        if count or noun != "probes"
    ]
    lines = [f"{root}: {', '.join(said)}; every {config.settings.cycle_time_s:g} s"]
    lines += [f"  service {check.name}: {_rules(check.rules)}" for check in config.services]
    lines += [f"  probe {check.name}: {_rules(check.rules)}" for check in config.probes]
    return "\n".join(lines)


def _rules(of_check: Sequence[Rule]) -> str:
    return values.many(len(of_check), "rule")
