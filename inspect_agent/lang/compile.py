"""The one entry: a folder, or what was remembered of one, to a Config or problems."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from inspect_agent.folder import CONFS, Marks
from inspect_agent.lang import bundle, parse
from inspect_agent.lang.checks import Placed
from inspect_agent.lang.files import Folder, Text, Texts, unchanged
from inspect_agent.lang.given import FileValue
from inspect_agent.lang.problems import Problem, Wrong, render
from inspect_agent.lang.report import WHOLE, Findings, Report
from inspect_agent.lang.resolve import Conf, Rules, resolve
from inspect_agent.lang.vocabulary import Vocabulary, installed
from inspect_agent.lang.warnings import escapes
from inspect_agent.model.config import Config, Settings


class Compiled(NamedTuple):
    """What came of it.

    config     None where there are problems
    settings   also where there are problems: as far as they could be read
    problems   what is wrong, in the order of the places
    warnings   what is legal and probably not meant
    texts      what it was read from, for bundle.remember
    marks      of the files that were read, also of those that could not be
    """

    config: Config | None
    settings: Settings
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    texts: Texts
    marks: Marks = {}  # noqa: RUF012  (it is a default, and nobody writes to it)


Judge = Callable[[Config, Sequence[Placed], Report], None]
"""Says what else is suspicious; the report is for what belongs to no file."""


class Reading(NamedTuple):
    """Texts, and what else has to be known to compile them.

    whole   False where some file could not be read
    """

    texts: Texts
    value_of: FileValue
    findings: Findings
    whole: bool = True


def compile_folder(
    root: str, vocabulary: Vocabulary | None = None, judge: Judge | None = None
) -> Compiled:
    """The configuration in a folder; without a vocabulary in the one that is installed."""
    vocabulary = vocabulary or installed()
    findings = Findings(vocabulary.secrets())
    folder = Folder(root, os.geteuid(), findings)
    texts = folder.texts()
    reading = Reading(texts, folder.value, findings, folder.whole)
    return compile_texts(reading, vocabulary, judge)._replace(marks=folder.marks)


def compile_bundle(
    path: str, vocabulary: Vocabulary | None = None, root: str | None = None
) -> Compiled:
    """The configuration that was remembered in a file.

    Its marks are those of the folder `root`: of the files there that still say the same.
    """
    vocabulary = vocabulary or installed()
    findings = Findings(vocabulary.secrets())
    try:
        texts = bundle.recall(path)
    except (OSError, ValueError) as error:
        Report(path, "", findings).error(WHOLE, Wrong(f"nothing is remembered: {error}"))
        return Compiled(None, Settings(), findings.errors, (), Texts(None, ()))
    marks = unchanged(texts, Folder(root, os.geteuid(), Findings())) if root else {}
    reading = Reading(texts, _remembered(texts), findings)
    return compile_texts(reading, vocabulary)._replace(marks=marks)


def compile_texts(reading: Reading, vocabulary: Vocabulary, judge: Judge | None = None) -> Compiled:
    """The configuration in these texts; `judge` has its say where nothing is wrong with it."""
    with _uncollected():
        return _compiled(reading, vocabulary, judge)


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is made here lives to the end; looking through it again and again takes a third."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _compiled(reading: Reading, vocabulary: Vocabulary, judge: Judge | None) -> Compiled:
    texts, findings = reading.texts, reading.findings
    values: dict[str, str] = {}
    conf = _conf(texts.conf, reading)
    rules = _rules(texts.inq, reading)
    own = Report("inspect-agent", "", findings)
    for fault in vocabulary.faults:
        own.warning(WHOLE, Wrong(fault))
    config = resolve(conf, rules, vocabulary, _noting(reading.value_of, values))
    if judge and reading.whole and not findings.errors:
        judge(config, rules.placed, own)
    warnings = findings.warnings
    used = texts._replace(values=tuple(values.items()))
    if findings.errors or not reading.whole:
        return Compiled(None, config.settings, findings.errors, warnings, used)
    rendered = tuple(render(warning) for warning in warnings)
    config = config._replace(warnings=rendered)
    return Compiled(config, config.settings, (), warnings, used)


def _conf(text: Text | None, reading: Reading) -> Conf:
    file, content = text or Text(CONFS[0], "")
    report = Report(file, content, reading.findings)
    statements = parse.conf(content, report)
    escapes.warn(statements.statements, content, report)
    complain = report.warning if file == CONFS[1] else report.error
    whole = statements.whole and reading.whole
    return Conf(statements.statements, report, complain, whole)


def _rules(texts: tuple[Text, ...], reading: Reading) -> Rules:
    placed: list[Placed] = []
    whole = reading.whole
    for file, text in texts:
        report = Report(file, text, reading.findings)
        parsed = parse.inq(text, report)
        escapes.warn(parsed.checks, text, report)
        placed += [Placed(check, report) for check in parsed.checks]
        whole = whole and parsed.whole
    return Rules(tuple(placed), whole)


def _noting(value_of: FileValue, values: dict[str, str]) -> FileValue:
    """Notes what is read, for the configuration to be remembered with it."""

    def noted(path: str) -> str | Wrong:
        value = value_of(path)
        if not isinstance(value, Wrong):
            values[path] = value
        return value

    return noted


def _remembered(texts: Texts) -> FileValue:
    values = dict(texts.values)
    return lambda path: values.get(path, Wrong("{} was not remembered"))
