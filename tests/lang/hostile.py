"""Inputs that nobody means well with, each in any size: what is to come of them.

bench/hostile.py measures that twice the input costs twice the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Shape(NamedTuple):
    """A file of so many characters, and how the message of its first problem begins; "": none."""

    file: str
    make: Callable[[int], str]
    problem: str


def _rules(text: str, problem: str) -> Shape:
    return Shape(
        "services.d/x.inq", lambda n: "check service x\n" + text * (n // len(text)), problem
    )


def _after(start: str, piece: str, problem: str, end: str = "", file: str = "x.inq") -> Shape:
    where = file if file.endswith(".conf") else f"services.d/{file}"
    return Shape(where, lambda n: start + piece * (n // len(piece)) + end, problem)


def _counted(line: str, problem: str, file: str = "services.d/x.inq", start: str = "") -> Shape:
    """A line for each number; `{next}` is the one after `{i}`, and 0 after the last."""

    def make(characters: int) -> str:
        count = characters // (len(line) + 8)
        lines = (line.format(i=i, next=(i + 1) % count) for i in range(count))
        return start + "\n".join(lines) + "\n"

    return Shape(file, make, problem)


_RULE = "  if memory:rss > 500m then alert\n"
_X60 = "x" * 60

SHAPES: dict[str, Shape] = {
    "rules": _rules(_RULE, ""),
    "unknown metrics": _rules("  if memory:rsss > 500m then alert\n", "unknown metric memory:rsss"),
    "rules without an operator": _rules("  if memory:rss 500m then alert\n", "unexpected 500m"),
    "rules without a check": _after("", "if memory:rss > 500m then alert\n", "unexpected if"),
    "distinct rules": _counted("  if memory:rss > {i}m then alert", "", start="check service x\n"),
    "one condition of ands": _after(
        "check service x if memory:rss > 1m", " and memory:rss > 1m", "", " then alert"
    ),
    "one condition of ors": _after(
        "check service x if memory:rss > 1m", " or memory:rss > 1m", "", " then alert"
    ),
    "one list of alerts": _after("check service x if down then alert", ", alert", ""),
    "one word": _after("check service ", "x", f"the name {_X60}… is too long"),
    "one metric": _after("check service x if ", "x", f"unknown metric {_X60}…", " > 5 then alert"),
    "one number": _after(
        "check service x if memory:rss > ", "1", f"{'1' * 60}… is not an amount", " then alert"
    ),
    "a quote that is not closed": _after('check service "', "x ", "this quote is not closed"),
    "quotes that are not closed": _after("", 'check service "x\n', "this quote is not closed"),
    "backslashes in a quote": _after('check service "', "\\", "this quote is not closed"),
    "escapes in quotes": _after("check service x with owner ", '"\\t" ', 'unexpected "\\t"'),
    "quotes": _after("", '"', 'unexpected ""'),
    "brackets": _after("check service x if ", "(", "unexpected ("),
    "brackets of a metric": _after("check service x if memory", "(", "unexpected ("),
    "nested metrics": _after("check service x if ", "memory(", "unexpected ("),
    "commas": _after("", ",", "unexpected ,"),
    "colons": _after("check service x if ", ":", f"unknown metric {':' * 60}…", " > 5 then alert"),
    "hashes": _after("", "#", ""),
    "lines of hashes": _after("", "#\n", ""),
    "blanks": _after("", " ", ""),
    "line breaks": _after("", "\n", ""),
    "ifs": _after("", "if ", "unexpected if"),
    "checks": _after("", "check ", "unexpected check"),
    "lines of checks": _after("", "check\n", "the statement ends too early"),
    "NULs": _after("", "\0", "a binary file: it holds the control character U+0000"),
    "bytes of two": _after("check service ", "é", f"the name {'é' * 60}… is too long"),
    "parameters": _after("check service x with a b", ", a b", "unknown parameter a"),
    "one parameter again and again": _after(
        "check service x with grace 1m", ", grace 1m", "grace is given twice"
    ),
    "needs in a chain": _counted(
        "check service s{i} with needs s{next}", "s0 needs ", start="check service s\n"
    ),
    "needs of one": _after("check service x with needs y", ",y", "unexpected ,", "\n"),
    "one service again and again": _after(
        "", "check service x\n", "the service x is checked twice"
    ),
    "services": _counted("check service s{i}", ""),
    "names that are nearly right": _counted(
        "check service s{i} if down then restart t{i}", "no check of a service called t0"
    ),
    "owners": _counted("check service s{i} with owner o{i}", "unknown route o0"),
    "routes": _counted("send alerts to r{i} via log", "", "inspect.conf"),
    "settings again and again": _after(
        "", "set cycle_time 5\n", "cycle_time is set twice", file="inspect.conf"
    ),
    "unknown settings": _counted(
        "set cycle_tim{i} 5", "unknown setting cycle_tim0", "inspect.conf"
    ),
    "recipients": _after(
        'send alerts via email with to_email "a@b.c',
        ", a@b.c",
        "more than 1000 recipients",
        '"\n',
        "inspect.conf",
    ),
    "secrets": _after(
        "send alerts via email with to_email a@b.c",
        ", password x",
        "password is given twice",
        file="inspect.conf",
    ),
    "jobs": _counted(
        "  j{i} happens every day", "not in this version: check jobs", start="check jobs\n"
    ),
    "exposed": _after("check service x expose a", ", a", "not in this version: expose"),
}
