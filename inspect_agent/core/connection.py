"""One connection to the control socket: a request in, an answer out, closed.

A request has 64 KiB and 2 seconds; beyond that the connection is closed with a word.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable

from inspect_agent.core.loop import Loop
from inspect_agent.core.request import refusal
from inspect_agent.typed import NamedTuple

LONGEST_REQUEST = 64 * 1024
REQUEST_S = 2.0
ANSWER_S = 170.0
"""`start deploy` waits for the repairs that run; inspectctl waits a little longer."""
_SO_PEERGROUPS = 59  # asm-generic/socket.h, Linux 4.13
_MOST_BYTES = 1024  # Python's getsockopt takes no more: 256 groups


class Peer(NamedTuple):
    """Who asks (unix(7), SO_PEERCRED)."""

    pid: int
    uid: int
    groups: tuple[int, ...]


class Connection:
    """Calls `serve` with the request, who asks and how to answer; `closed` when it is over."""

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
        self._send(refusal(None, bytes(self._in[:1]), why))

    def _close(self) -> None:
        if self._socket.fileno() >= 0:
            self._deadline.cancel()
            self._loop.remove(self._socket.fileno())
            self._socket.close()
            self._closed()


def _peer(connection: socket.socket) -> Peer:
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, gid = struct.unpack("3i", data)
    groups: tuple[int, ...] = ()
    with contextlib.suppress(OSError):
        more = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_BYTES)
        groups = struct.unpack(f"{len(more) // 4}I", more)
    return Peer(pid, uid, (gid, *groups))
