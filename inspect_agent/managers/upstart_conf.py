"""What the manager reads of a job's configuration: init(5), "respawn" and "instance".

The names of instances are made of variables (`instance $app-$index`), and commands want these
(`initctl restart shop app=web index=0`), not the name.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping

from inspect_agent.errors import ManagerError
from inspect_agent.typed import NamedTuple

_MOST_BYTES = 1 << 20
_SCRIPT = re.compile(
    r"^[ \t]*(?:(?:pre|post)-(?:start|stop)[ \t]+)?script[ \t]*$.*?^[ \t]*end[ \t]+script[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_RESPAWN = re.compile(r"^[ \t]*respawn[ \t]*(?:#.*)?$", re.MULTILINE)
_INSTANCE = re.compile(r"^[ \t]*instance[ \t]+(\S.*?)[ \t]*(?:[ \t]#.*)?$", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_PLAIN = re.compile(r"[^\s\"'\\$]*")


class Conf(NamedTuple):
    """A job's configuration, with its override.

    respawns   it is started again when it ends by itself
    instance   the template of its instances' names; "": there is only one, without a name
    """

    respawns: bool = False
    instance: str = ""


def read_conf(file: str) -> Conf | None:
    """The configuration of a job in JOB.conf and JOB.override; None where it cannot be read."""
    override = file.removesuffix(".conf") + ".override"
    try:
        text = _read(file)
        if os.path.lexists(override):
            text += "\n" + _read(override)
    except OSError:
        return None
    return parse_conf(text)


def parse_conf(text: str) -> Conf:
    """What the stanzas say; the last one of a kind wins, and none is in a script."""
    stanzas = _SCRIPT.sub("", text.replace("\\\n", " "))
    templates = [_unquoted(template) for template in _INSTANCE.findall(stanzas)]
    return Conf(_RESPAWN.search(stanzas) is not None, templates[-1] if templates else "")


def expand(template: str, variables: Mapping[str, str]) -> str | None:
    """The name of the instance with these variables.

    None where a variable is missing, for it may have a default, or the template has more than them.
    """
    try:
        parts = list(_parts(template))
    except ManagerError:
        return None
    if any(name and name not in variables for _, name in parts):
        return None
    return "".join(literal + variables.get(name, "") for literal, name in parts)


def solve(template: str, instance: str) -> tuple[str, ...]:
    """The variables that an instance of this name has: ("app=shop", "index=2").

    Raises ManagerError where the template cannot be read, or the name can be read in no way or
    in several.
    """
    parts = list(_parts(template))
    shortest = _match(parts, ".*?", instance)
    if shortest is None:
        raise ManagerError(f"`instance {template}` makes no name {instance}")
    # the first variable is as short as it can be here, and as long there, then the second, …
    if shortest != _match(parts, ".*", instance):
        raise ManagerError(f"`instance {template}` makes the name {instance} in several ways")
    return tuple(f"{name}={value}" for name, value in shortest.items())


def _parts(template: str) -> Iterator[tuple[str, str]]:
    """Plain text and the variable behind it, "" behind the last. Raises ManagerError."""
    at = 0
    for match in (*_VARIABLE.finditer(template), None):
        literal = template[at : match.start() if match else len(template)]
        if not _PLAIN.fullmatch(literal):
            raise ManagerError(f"`instance {template}` is more than plain text and variables")
        yield literal, (match[1] or match[2]) if match else ""
        at = match.end() if match else at


def _match(parts: list[tuple[str, str]], anything: str, instance: str) -> Mapping[str, str] | None:
    pattern = ""
    named: set[str] = set()
    for literal, name in parts:
        pattern += re.escape(literal)
        if name:
            pattern += f"(?P={name})" if name in named else f"(?P<{name}>{anything})"
            named.add(name)
    match = re.fullmatch(pattern, instance, re.DOTALL)
    return match.groupdict() if match else None


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _read(path: str) -> str:
    """A small plain file. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(f"{path} is not a plain file")
        return os.read(fd, _MOST_BYTES).decode(errors="replace")
    finally:
        os.close(fd)
