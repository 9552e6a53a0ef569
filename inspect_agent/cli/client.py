"""Asks the agent at its control socket."""

from __future__ import annotations

import json
import socket
from typing import Any

from inspect_agent.errors import AgentUnreachable, ControlError
from inspect_agent.model import wire

ANSWER_S = 180.0
"""`start deploy` waits for the repairs that run, `reload` for the compiler."""


def ask(path: str, command: str, words: list[str]) -> Any:
    """The answer. Raises ControlError when the agent says no, AgentUnreachable without one."""
    request = wire.line({"command": command, "args": {"words": words}})
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(path)
            connection.sendall(request)
            with connection.makefile("rb") as answers:
                text = answers.read()
    except OSError as error:
        raise AgentUnreachable(_advice(path, error)) from error
    answer = _parse(path, text)
    if "error" in answer:
        raise ControlError(answer["error"])
    return answer["ok"]


def _parse(path: str, text: bytes) -> dict[str, Any]:
    if not text:
        raise AgentUnreachable(f"{path}: the agent closed without an answer")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not answer.keys() & {"ok", "error"}:
        raise AgentUnreachable(f"{path}: what answers there is no inspect-agent")
    return answer


def _advice(path: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"{path}: you may not ask this agent; use sudo, or join its socket_group"
    if isinstance(error, TimeoutError):
        return f"{path}: the agent did not answer within {ANSWER_S:.0f} s"
    return (
        f"no agent answers at {path} ({error.strerror or error}).\n"
        "Is it running? `systemctl status inspect-agent` tells; start it, or name its socket"
        " with -s or INSPECT_SOCK."
    )
