"""A request to the control socket, and a refusal, in both of its languages."""

from __future__ import annotations

import json
from collections.abc import Container

from inspect_agent.errors import ControlError
from inspect_agent.model import wire
from inspect_agent.typed import Any, NamedTuple


class Request(NamedTuple):
    """One request; `args` are words, or what JSON gave. `json`: how to answer."""

    command: str
    args: dict[str, Any]
    json: bool


def parse(line: bytes, commands: Container[str]) -> Request:
    """What a line asks for, of these commands. Raises ControlError."""
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        raise ControlError("the request is not UTF-8") from None
    if text.startswith("{"):
        return _parse_json(text, commands)
    words = text.split()
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in commands:
            return Request(name, {"words": words[length:]}, False)
    raise ControlError(f"unknown command: {text[:80]!r}; try: help")


def _parse_json(text: str, commands: Container[str]) -> Request:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ControlError("the request is not JSON") from None
    command, args = value.get("command"), value.get("args", {})
    if not isinstance(command, str) or not isinstance(args, dict):
        raise ControlError('a request is {"command": TEXT, "args": {…}}')
    if command not in commands:
        raise ControlError(f"unknown command: {command[:80]!r}; try: help")
    return Request(command, args, True)


def refusal(request: Request | None, line: bytes, why: str) -> bytes:
    """A no, in the language of the request, or of the line where there is none."""
    if request.json if request is not None else line.lstrip().startswith(b"{"):
        return wire.line({"error": why})
    return f"{why}\n".encode(errors="replace")
