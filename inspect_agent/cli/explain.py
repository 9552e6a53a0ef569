"""`inspectctl explain FILE[:LINE]`: what a file, or a rule in it, says, in plain words."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from inspect_agent.cli import paths
from inspect_agent.cli.place import Place, place
from inspect_agent.export.explain import conf, page
from inspect_agent.export.explain.whole import Whole, whole
from inspect_agent.folder import CONFS
from inspect_agent.lang import secrets, statements
from inspect_agent.lang.compile import Compiled, Reading, compile_folder, compile_texts
from inspect_agent.lang.files import Text
from inspect_agent.lang.problems import Problem, Wrong, render, shown
from inspect_agent.lang.report import Findings
from inspect_agent.lang.statements import Statement
from inspect_agent.lang.vocabulary import Vocabulary, installed
from inspect_agent.model.config import Config


class _Said(NamedTuple):
    """An explanation, and the statements that it is of."""

    text: str
    of: Sequence[Statement]


def main(arguments: Sequence[str]) -> int:
    """Exit status 0, 1 where there is nothing to explain or something is wrong, 2 for usage."""
    root = paths.config_root(os.environ, os.geteuid())
    given = _parser(root).parse_args(arguments).place
    at = place(given, root)
    if isinstance(at, Wrong):
        return _complain(Problem(shown(given, 200), 0, 0, at.message, at.hint))
    return _explain(at, installed())


def _explain(at: Place, vocabulary: Vocabulary) -> int:
    compiled = compile_folder(at.root, vocabulary)
    problems = _of(at.file, compiled.problems) or compiled.problems
    text = next((text for text in _texts(compiled) if text.file == at.file), None)
    config = compiled.config or _sound_part(at.file, compiled, vocabulary)
    if text is None or config is None:
        return _complain(*problems or _of(at.file, compiled.warnings))
    hidden = frozenset(secrets.NAMES | vocabulary.secrets())
    said = _said(at, text, whole(config, vocabulary.families, hidden))
    if isinstance(said, Problem):
        return _complain(said)
    sys.stdout.write(said.text)
    return _complain(*_doubts(at, said, compiled), *problems)


def _said(at: Place, text: Text, everything: Whole) -> _Said | Problem:
    is_conf = at.file in CONFS
    found = statements.read("conf" if is_conf else "inq", text.text)
    standing = found if at.line is None else statements.at(found, at.line)
    if at.line is not None and not standing:
        return _nothing(at.file, at.line, found)
    if is_conf:
        explain = conf.page if at.line is None else conf.standing
        return _Said(explain(at.file, standing, everything), standing)
    parts = list(page.parts(at.file, found, everything.config))
    if at.line is not None:
        parts = list(page.standing_at(at.line, parts))
    of = [statement for part in parts for statement in part.statements]
    return _Said(page.page(at.file, parts, everything), of)


def _nothing(file: str, line: int, found: Sequence[Statement]) -> Problem:
    above = statements.above(found, line)
    hint = f"above it stands: {statements.called(above)}, in line {above.first}" if above else ""
    return Problem(file, line, 1, "nothing stands here", hint)


def _sound_part(file: str, compiled: Compiled, vocabulary: Vocabulary) -> Config | None:
    """The configuration without the files that have problems; None where it is none, either."""
    faulty = {problem.file for problem in compiled.problems}
    if faulty.intersection((file, *CONFS)):
        return None
    sound = tuple(text for text in compiled.texts.inq if text.file not in faulty)
    values = dict(compiled.texts.values)
    reading = Reading(
        compiled.texts._replace(inq=sound),
        lambda path: values.get(path, Wrong("{} was not read")),
        Findings(vocabulary.secrets()),
    )
    return compile_texts(reading, vocabulary).config


def _texts(compiled: Compiled) -> Sequence[Text]:
    return (*filter(None, (compiled.texts.conf,)), *compiled.texts.inq)


def _of(file: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.file == file)


def _doubts(at: Place, said: _Said, compiled: Compiled) -> tuple[Problem, ...]:
    """The warnings about what is explained."""
    found = _of(at.file, compiled.warnings)
    if at.line is None:
        return found
    first, last = said.of[0].first, max(statement.last for statement in said.of)
    return tuple(warning for warning in found if first <= warning.line <= last)


def _complain(*problems: Problem) -> int:
    """Shows them; the exit status."""
    for problem in problems:
        print(render(problem), file=sys.stderr)
    return int(any(problem.severity == "error" for problem in problems))


def _parser(root: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inspectctl explain",
        description="Says in plain words what a file of a configuration, or a rule in it, means.",
    )
    what = f"a file, and a line of what is to be explained alone (looked up below {root}, too)"
    parser.add_argument("place", metavar="FILE[:LINE]", help=what)
    return parser
