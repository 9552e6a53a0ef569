"""The control socket: who may ask what, in two languages.

    a line of words    `status`, `start deploy`: answered as text, then closed. Inspeqtor's
                       protocol, so `echo status | nc -U SOCKET` works.
    a line of JSON     {"command": …, "args": {…}} is answered with {"ok": …} or {"error": …}

core/connection.py has the limits of a request, core/request.py both languages.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial

from inspect_agent.core.connection import Connection, Peer
from inspect_agent.core.listening import claim, listen
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.core.request import Request, parse, refusal
from inspect_agent.errors import ControlError
from inspect_agent.model import wire
from inspect_agent.typed import Any, NamedTuple

MOST_CONNECTIONS = 64

Reply = Callable[[Any], None]
Handler = Callable[[Request, Reply], None]
"""Answers by calling `reply`, now or later; raises ControlError to refuse."""


class Command(NamedTuple):
    """A command: what it does, and whether it changes anything."""

    handler: Handler
    changes: bool
    help: str


class Control:
    """Listens on PATH; who asks before `serve` waits for it. Raises ControlError.

    to_text    a command's answer as text, for the language of words
    """

    def __init__(self, loop: Loop, log: Log, path: str, to_text: Callable[[str, Any], str]) -> None:
        self._loop, self._log, self._path = loop, log, path
        self._commands: dict[str, Command] = {}
        self._to_text = to_text
        self._group: int | None = None
        self._open = 0
        self._lock = claim(path)
        self._socket = listen(path)

    def serve(self, commands: dict[str, Command]) -> None:
        """Answers from now on; `commands` are known by their words: `start deploy`."""
        self._commands = commands
        self._loop.add_reader(self._socket.fileno(), self._accept)

    def admit(self, group: int | None) -> None:
        """Members of this group may ask and change, besides root and the agent's own user."""
        self._group = group
        try:
            os.chown(self._path, -1, group if group is not None else os.getegid())
            os.chmod(self._path, 0o660 if group is not None else 0o600)
        except OSError as error:  # only root may give it to a group that it is not in: chown(2)
            self._log.warn(f"{self._path} cannot be given to group {group}: {error.strerror}")

    def close(self) -> None:
        """Takes the socket away."""
        self._loop.remove(self._socket.fileno())
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        os.close(self._lock)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        if self._open >= MOST_CONNECTIONS:
            connection.close()
            return
        self._open += 1
        Connection(self._loop, connection, self._serve, self._closed)

    def _closed(self) -> None:
        self._open -= 1

    def _serve(self, line: bytes, peer: Peer, send: Callable[[bytes], None]) -> None:
        """One request line; the answer may come later."""
        request: Request | None = None
        try:
            request = parse(line, self._commands)
            command = self._commands[request.command]
            if command.changes:
                self._permit(request, peer)
            command.handler(request, partial(self._reply, request, send))
        except ControlError as error:
            send(refusal(request, line, str(error)))
        except Exception:
            send(refusal(request, line, "something went wrong; the agent's log says what"))
            raise

    def _reply(self, request: Request, send: Callable[[bytes], None], answer: Any) -> None:
        if isinstance(answer, ControlError):
            send(refusal(request, b"", str(answer)))
        elif request.json:
            send(wire.line({"ok": answer}))
        else:
            send(self._to_text(request.command, answer).encode(errors="replace"))

    def _permit(self, request: Request, peer: Peer) -> None:
        allowed = peer.uid in (0, os.geteuid()) or (
            self._group is not None and self._group in peer.groups
        )
        if not allowed:
            raise ControlError(f"user {peer.uid} may not {request.command}")
        self._log.info(f"{request.command}, asked by user {peer.uid} (process {peer.pid})")
