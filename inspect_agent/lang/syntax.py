"""What the parser expected and did not find, in words for people."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lark import Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from inspect_agent.lang.ast import VERBS, Word
from inspect_agent.lang.problems import Near, Wrong, listed

_NAMES = {
    "$END": "",
    "NAME": "a name",
    "KEY": "a parameter",
    "VALUE": "a value",
    "EXPOSED": "a name",
    "JOB": "a job's name",
    "METRIC": "a metric",
    "METRIC_NAME": "a metric's name",
    "STATE": "down, failed or restarted",
    "OP": "> < >= <= == !=",
    "AMOUNT": "an amount",
    "UNIT": "a unit",
    "TIME_UNIT": "a unit of time",
    "DURATION": "a number or duration",
    "TIMES": "a number",
    "LATE": "a duration",
    "LATE_NUMBER": "a duration",
    "PERIOD": "minutes, hours or days",
    "ROUTE": "a route",
    "SEVERITY": "info, warning or critical",
    "TARGET": "a service",
    "SIGNAL_NAME": "a signal",
    "COMMAND": "a command",
    "USER": "a user",
    "SETTING": "a setting",
    "SETTING_VALUE": "a value",
    "CHANNEL": "a channel",
    "_COMMA": "a comma",
    "_LEFT": "(",
    "_RIGHT": ")",
    "_CYCLES": "cycles",
}
_STATES = ("down", "failed", "restarted", "stale", "outdated")
_VALUES = frozenset(
    {"NAME", "VALUE", "EXPOSED", "ROUTE", "TARGET", "SIGNAL_NAME", "COMMAND", "USER"}
    | {"SETTING_VALUE", "CHANNEL"}
)
_HINTS = {
    "METRIC": 'a metric with such characters is quoted as a whole: "disk:/my vol"',
    "OP": "a metric is compared: memory:rss > 500m, or == where it has to be equal",
    "AMOUNT": "decimals are written with a point: 1.5g",
    "IF": "a rule stands below its check host or check service",
}
_RESERVED = frozenset({"as", "else", "if", "check", "expose", "with", "set", "send"})
_FOUND = re.compile(r'"[^"\n]*"?|[^\s\ufeff,"()]+|.', re.DOTALL)


def explain(error: UnexpectedInput, text: str) -> tuple[Word, Wrong]:
    """Where the parser stopped, and why."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return _ended(error, text)
    match = _FOUND.match(text, error.pos_in_stream or 0)
    found = match.group() if match else ""
    at = Word(found, error.line, error.column)
    if found.startswith('"') and (len(found) == 1 or not found.endswith('"')):
        return at, Wrong("this quote is not closed")
    before, wanted = _before(error), _expected(error)
    if found == "," or before.type == "SEVERITY":
        name = _as_name(before, before.start_pos, text)
    else:
        name = _as_name(found, error.pos_in_stream, text)
    hint = "; ".join(filter(None, (_hint(found, before, wanted), name)))
    return at, _unexpected(found, before, wanted, hint)


def _ended(error: UnexpectedToken, text: str) -> tuple[Word, Wrong]:
    """The text is over; lark gives its end the place of the last word."""
    last = error.token
    at = Word("", last.end_line or 1, last.end_column or 1)
    names = _wanted(error.expected)
    name = _as_name(text[last.start_pos : last.end_pos], last.start_pos, text)
    if len(names) == 1:
        return at, Wrong(f"{names[0]} is missing here", name)
    hint = "; ".join(filter(None, (f"{listed(names)} may come next", name)))
    return at, Wrong("the statement ends too early", hint)


def _expected(error: UnexpectedInput) -> frozenset[str]:
    if isinstance(error, UnexpectedCharacters):
        return frozenset(error.allowed)
    return frozenset(error.expected) if isinstance(error, UnexpectedToken) else frozenset()


def _before(error: UnexpectedInput) -> Token:
    """The token before the one that is wrong."""
    history = getattr(error, "token_history", None) or [None]
    return history[-1] or Token("", "")


def _wanted(terminals: Iterable[str]) -> list[str]:
    names = {_NAMES.get(name, name.lstrip("_").lower()) for name in terminals}
    return sorted(names - {""}, key=lambda name: (" " not in name, name))


def _unexpected(found: str, before: Token, wanted: frozenset[str], hint: str) -> Wrong:
    if "OP" in wanted and found in ("then", "for"):  # `if donw then` has a metric called donw
        return Wrong("unexpected {}", hint, Near(before, _STATES))
    if before.type in _VALUES and "SEND" in wanted:  # a password of two words is no keyword
        return Wrong("unexpected {}", hint)
    keywords = [name for name in _wanted(wanted) if " " not in name]
    return Wrong("unexpected {}", hint, Near(found, keywords))


def _hint(found: str, before: Token, wanted: frozenset[str]) -> str:
    if "_COMMA" in wanted and found in VERBS:
        return f"a comma is missing before {found}"
    if before.type in _VALUES and found not in ",()<>":
        return 'a value of several words is quoted: "several words"'
    if before.type == "METRIC" and before in ("then", "for"):
        return f"a condition is missing before {before}"
    if before.type == "METRIC":
        return _HINTS["METRIC"] if found.startswith('"') else _HINTS["OP"]
    if before.type == "AMOUNT" and found == ",":
        return _HINTS["AMOUNT"]
    if found == "if":
        return _HINTS["IF"]
    return f"{listed(_wanted(wanted))} may stand here"


def _as_name(word: str, at: int | None, text: str) -> str:
    """What to do where a keyword was meant as a name: `restart if`, `alert as, restart`."""
    start = at or 0
    first = not text[text.rfind("\n", 0, start) + 1 : start].strip()
    return "" if first or word not in _RESERVED else f'to be a name, {word} is quoted: "{word}"'
