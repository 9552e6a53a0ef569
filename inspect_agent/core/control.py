"""The control socket: who may ask what, in two languages.

    a line of words    `status`, `start deploy`: answered as text, then closed. Inspeqtor's
                       protocol, so `echo status | nc -U SOCKET` works.
    a line of JSON     {"command": …, "args": {…}} is answered with {"ok": …} or {"error": …}

A request has 64 KiB and 2 seconds; beyond that the connection is closed with a word.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import stat
import struct
from collections.abc import Callable
from functools import partial

from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.errors import ControlError
from inspect_agent.model import wire
from inspect_agent.typed import Any, NamedTuple

LONGEST_REQUEST = 64 * 1024
REQUEST_S = 2.0
ANSWER_S = 170.0
"""`start deploy` waits for the repairs that run; inspectctl waits a little longer."""
MOST_CONNECTIONS = 64
_SO_PEERGROUPS = 59  # asm-generic/socket.h, Linux 4.13
_MOST_BYTES = 1024  # Python's getsockopt takes no more: 256 groups


class Request(NamedTuple):
    """One request; `args` are words, or what JSON gave. `json`: how to answer."""

    command: str
    args: dict[str, Any]
    json: bool


class Peer(NamedTuple):
    """Who asks (unix(7), SO_PEERCRED)."""

    pid: int
    uid: int
    groups: tuple[int, ...]


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
        self._lock = _lock(path)
        self._socket = _listen(path)

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
        _Connection(self._loop, connection, self._serve, self._closed)

    def _closed(self) -> None:
        self._open -= 1

    def _serve(self, line: bytes, peer: Peer, send: Callable[[bytes], None]) -> None:
        """One request line; the answer may come later."""
        request: Request | None = None
        try:
            request = _parse(line, self._commands)
            command = self._commands[request.command]
            if command.changes:
                self._permit(request, peer)
            command.handler(request, partial(self._reply, request, send))
        except ControlError as error:
            send(_refusal(request, line, str(error)))
        except Exception:
            send(_refusal(request, line, "something went wrong; the agent's log says what"))
            raise

    def _reply(self, request: Request, send: Callable[[bytes], None], answer: Any) -> None:
        if isinstance(answer, ControlError):
            send(_refusal(request, b"", str(answer)))
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


class _Connection:
    """One connection: a request in, an answer out, closed."""

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        serve: Callable[[bytes, Peer, Callable[[bytes], None]], None],
        closed: Callable[[], None],
    ) -> None:
        connection.setblocking(False)
        self._loop, self._socket, self._serve, self._closed = loop, connection, serve, closed
        self._in, self._out = bytearray(), b""
        self._answered = False
        self._deadline = loop.call_later(REQUEST_S, self._late)
        loop.add_reader(connection.fileno(), self._read)

    def _read(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._close()
            return
        if self._answered:  # after its request a client has nothing to say but goodbye
            if not data:
                self._loop.remove(self._socket.fileno())
            return
        self._in += data
        line, newline, _ = self._in.partition(b"\n")
        if len(line) > LONGEST_REQUEST:
            self._refuse("the request is longer than 64 KiB")
        elif newline or not data:
            self._deadline.cancel()
            self._answered = True
            self._deadline = self._loop.call_later(ANSWER_S, self._tired)
            self._serve(bytes(line), _peer(self._socket), self._send)

    def _send(self, answer: bytes) -> None:
        if self._socket.fileno() < 0:
            return
        self._out = answer
        self._loop.remove(self._socket.fileno())
        self._loop.add_writer(self._socket.fileno(), self._write)

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            return
        except OSError:
            self._close()
            return
        self._out = self._out[sent:]
        if not self._out:
            self._close()

    def _late(self) -> None:
        self._refuse("the request was not finished within 2 seconds")

    def _tired(self) -> None:
        self._refuse(f"not done within {ANSWER_S:.0f} seconds; it goes on")

    def _refuse(self, why: str) -> None:
        self._deadline.cancel()
        self._answered = True
        self._deadline = self._loop.call_later(REQUEST_S, self._close)
        self._send(_refusal(None, bytes(self._in[:1]), why))

    def _close(self) -> None:
        if self._socket.fileno() >= 0:
            self._deadline.cancel()
            self._loop.remove(self._socket.fileno())
            self._socket.close()
            self._closed()


def _parse(line: bytes, commands: dict[str, Command]) -> Request:
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


def _parse_json(text: str, commands: dict[str, Command]) -> Request:
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


def _refusal(request: Request | None, line: bytes, why: str) -> bytes:
    if request.json if request is not None else line.lstrip().startswith(b"{"):
        return wire.line({"error": why})
    return f"{why}\n".encode(errors="replace")


def _peer(connection: socket.socket) -> Peer:
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, gid = struct.unpack("3i", data)
    groups: tuple[int, ...] = ()
    with contextlib.suppress(OSError):
        more = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_BYTES)
        groups = struct.unpack(f"{len(more) // 4}I", more)
    return Peer(pid, uid, (gid, *groups))


def _lock(path: str) -> int:
    """Holds PATH.lock for as long as this agent lives. Raises ControlError."""
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o755, exist_ok=True)
        fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:  # makedirs says so of a file where a folder should be
        raise ControlError(f"{path}: {error.filename} is no folder") from error
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise ControlError(
            f"another agent serves {path}; stop it, or name another with -s"
        ) from None
    return fd


def _listen(path: str) -> socket.socket:
    """A socket at PATH; what a dead agent left there is replaced. Raises ControlError."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.setblocking(False)
    try:
        if os.path.lexists(path):
            _remove_stale(path)
        mask = os.umask(0o177)
        try:
            listening.bind(path)
        finally:
            os.umask(mask)
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise ControlError(f"{path}: {error.strerror or error}") from error
    return listening


def _remove_stale(path: str) -> None:
    # connect(2) refuses a plain file as it refuses a socket that nobody listens at
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise ControlError(f"{path} is there and is no socket; move it, or name another with -s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(REQUEST_S)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
    raise ControlError(f"something else serves {path}; stop it, or name another socket with -s")
