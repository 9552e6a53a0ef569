"""Where the compiler says what is wrong: one Report a file, all of them into one Findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from inspect_agent.lang.ast import Word
from inspect_agent.lang.problems import Near, Problem, Severity, Wrong, nearest, shown
from inspect_agent.lang.secrets import Hidden

MOST_GUESSED = 100
"""For so many problems the nearest right word is looked for: among 1,000 it takes 15 ms."""

MOST_KEPT = 1000
"""So many problems are kept in full; the others are counted, which keeps bad input cheap."""

WHOLE = Word("", 0, 0)
"""The place of what is wrong with a file as a whole."""


class Findings:
    """All problems of one compile; `secrets` are parameters whose values are not to be shown."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = frozenset(secrets)
        self._files: dict[str, int] = {}
        self._kept: dict[Severity, list[Problem]] = {"error": [], "warning": []}
        self._uncounted = 0
        self._guessed = 0

    def open(self, file: str) -> None:
        """Problems come in the order in which their files were opened."""
        self._files.setdefault(file, len(self._files))

    def add(self, severity: Severity, make: Callable[[], Problem]) -> None:
        """Keeps the problem that `make` gives, or counts it where there are too many."""
        kept = self._kept[severity]
        if len(kept) < MOST_KEPT:
            kept.append(make())
        elif severity == "error":
            self._uncounted += 1

    def guess(self, near: Near) -> str:
        """The candidate that looks most like the text; empty where none does, or for too many."""
        self._guessed += 1
        return nearest(near) if self._guessed <= MOST_GUESSED else ""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps the configuration from being used, in the order of the places."""
        errors = self._sorted("error")
        if self._uncounted:
            more = Problem(errors[-1].file, 0, 0, f"and {self._uncounted} more problems")
            return (*errors, more)
        return errors

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is legal and probably not meant, in the order of the places."""
        return self._sorted("warning")

    def _sorted(self, severity: Severity) -> tuple[Problem, ...]:
        kept = self._kept[severity]
        return tuple(sorted(kept, key=lambda p: (self._files[p.file], p.line, p.column)))


class Report:
    """Says what is wrong with one file."""

    def __init__(self, file: str, text: str, findings: Findings) -> None:
        self.file = file
        self.errors = 0
        self._text = text
        self._findings = findings
        findings.open(file)

    def error(self, at: Word, wrong: Wrong) -> None:
        """A problem that keeps the configuration from being used."""
        self.errors += 1
        self._add("error", at, wrong)

    def warning(self, at: Word, wrong: Wrong) -> None:
        """A problem that does not."""
        self._add("warning", at, wrong)

    def place(self, word: Word) -> str:
        """`services.d/redis.inq:3`."""
        return f"{self.file}:{word.line}"

    def _add(self, severity: Severity, at: Word, wrong: Wrong) -> None:
        self._findings.add(severity, lambda: self._problem(severity, at, wrong))

    def _problem(self, severity: Severity, at: Word, wrong: Wrong) -> Problem:
        said = at.text if wrong.said is None else wrong.said
        if at.line and self._hidden.covers(at.line, at.column):
            said = "(not shown)"
        message = wrong.message.replace("{}", shown(said))
        guess = self._findings.guess(wrong.near) if wrong.near else ""
        hint = f"did you mean {guess}?" if guess else wrong.hint
        source = self._hidden.cut(at.line, self._line(at.line))
        return Problem(self.file, at.line, at.column, message, hint, severity, source)

    def _line(self, line: int) -> str:
        return self._lines[line - 1] if 0 < line <= len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return self._text.split("\n")

    @cached_property
    def _hidden(self) -> Hidden:
        return Hidden(self._text, self._findings.secrets)
