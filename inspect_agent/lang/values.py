"""Values of parameters and settings: text in, value or what is wrong with it out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from functools import partial

from inspect_agent.lang import units
from inspect_agent.lang.problems import Near, Read, Wrong, listed
from inspect_agent.model.metric import Param
from inspect_agent.model.target import Budget

_YEAR_S = 366 * 86400.0
_BUDGET = re.compile(r"([0-9]{1,6})\s*/\s*(\S.*)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_LIST = re.compile(r"\s*,\s*")
_URL_LIST = re.compile(r"\s*,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)")
YES = ("yes", "true", "on")
NO = ("no", "false", "off")


def text(value: str) -> str | Wrong:
    """Anything but nothing."""
    return value if value.strip() else Wrong("an empty value")


def duration(value: str, least_s: float = 0.0, most_s: float = _YEAR_S) -> float | Wrong:
    """Seconds: `30`, `30s`, `5 minutes`."""
    seconds = units.duration(value)
    if isinstance(seconds, Wrong) or least_s <= seconds <= most_s:
        return seconds
    shortest, longest = (units.canonical(limit, "seconds") for limit in (least_s, most_s))
    return Wrong("{} is out of range", f"from {shortest} to {longest}")


def count(value: str, least: int = 0, most: int = 1_000_000) -> int | Wrong:
    """A whole number."""
    if re.fullmatch("[0-9]{1,9}", value) is None:
        return Wrong("{} is not a whole number")
    if not least <= int(value) <= most:
        return Wrong("{} is out of range", f"from {least} to {most}")
    return int(value)


def path(value: str) -> str | Wrong:
    """An absolute path."""
    if not value.startswith("/"):
        return Wrong("{} is not an absolute path", "the agent's own folder is /")
    return value


def command(value: str) -> tuple[str, ...] | Wrong:
    """A command, split into words as a shell would; no shell runs it."""
    try:
        words = tuple(shlex.split(value))
    except ValueError as error:
        return Wrong(f"the command cannot be split into words: {str(error).lower()}")
    if not words or not words[0]:
        return Wrong("the command is empty")
    if "/" in words[0] and not words[0].startswith("/"):
        return Wrong("the command is not an absolute path", "the agent's own folder is /")
    return words


def variables(value: str) -> tuple[str, ...] | Wrong:
    """Variables of an instance of a job, split into words as a shell would: `app=shop index=0`."""
    try:
        words = tuple(shlex.split(value))
    except ValueError as error:
        return Wrong(f"the variables cannot be split into words: {str(error).lower()}")
    if not words:
        return Wrong("the variables are empty", 'as the job has them: "index=0"')
    if not all(map(_VARIABLE.match, words)):
        return Wrong("{} names no variables", 'as the job has them: "index=0"')
    return words


def budget(value: str) -> Budget | Wrong:
    """`3/10m`: so many repairs in so long."""
    match = _BUDGET.fullmatch(value)
    if match is None:
        return Wrong("{} is no budget", "so many repairs in so long: 3/10m")
    repairs, window_s = count(match[1], least=1), duration(match[2], least_s=1.0)
    if isinstance(repairs, Wrong) or isinstance(window_s, Wrong):
        return Wrong("{} is no budget", "at least one repair in at least a second: 3/10m")
    return Budget(repairs, window_s)


def names(value: str) -> tuple[str, ...] | Wrong:
    """`postgresql, redis`."""
    found = tuple(_LIST.split(value.strip()))
    return found if all(found) else Wrong("a name is missing in {}", 'as in "postgresql, redis"')


def choice(value: str, choices: tuple[str, ...]) -> str | Wrong:
    """One of some words."""
    if value not in choices:
        return Wrong("{} is not possible here", f"{listed(choices)}", Near(value, choices))
    return value


def flag(value: str) -> bool | Wrong:
    """Yes or no."""
    chosen = choice(value, YES + NO)
    return chosen if isinstance(chosen, Wrong) else chosen in YES


def several(value: str) -> tuple[str, ...]:
    """The values of a list: `a@x, b@x`. URLs may hold commas, so theirs end before another URL."""
    return tuple((_URL_LIST if "://" in value else _LIST).split(value.strip()))


def of(param: Param) -> Read[object]:
    """How a value of this parameter is read."""
    if param.kind == "choice":
        return partial(choice, choices=param.choices)
    return _KINDS[param.kind]


_KINDS: Mapping[str, Callable[[str], object]] = {
    "text": text,
    "secret": text,
    "path": path,
    "command": command,
    "duration": duration,
    "count": count,
    "port": partial(count, least=1, most=65535),
    "flag": partial(choice, choices=YES + NO),
}
