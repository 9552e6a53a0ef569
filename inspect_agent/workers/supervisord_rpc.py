"""XML-RPC with supervisord, over its socket or HTTP, and words for all that can go wrong."""

from __future__ import annotations

import base64
import http.client
import os
import pwd
import socket
import struct
import sys
from contextlib import closing
from typing import Any
from xmlrpc.client import Fault, dumps, loads

from inspect_agent.errors import ManagerError
from inspect_agent.workers.supervisord_conf import Server

MOST_BYTES = 16 * 1024 * 1024
"""More than this is no answer: supervisord tells 1,200 bytes of a process."""

_SHUTDOWN_STATE = 6  # supervisor.xmlrpc.Faults


class Rpc:
    """Calls a server; each step of the network may take `timeout_s`, or for ever."""

    def __init__(self, server: Server, timeout_s: float | None) -> None:
        self._server = server
        self._timeout_s = timeout_s

    def call(self, method: str, *arguments: str) -> Any:
        """What supervisor.METHOD answers. Raises ManagerError, and Fault where it refuses."""
        request = dumps(arguments, f"supervisor.{method}").encode()
        try:
            with closing(_Connection(self._server, self._timeout_s)) as connection:
                connection.request("POST", "/RPC2", request, _headers(self._server))
                return answer(self._server, connection.getresponse())
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise _wrong(self._server, self._words(error)) from error

    def _words(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._timeout_s:g} s"
        for kind, words in _WORDS.items():
            if isinstance(error, kind):
                return words
        return getattr(error, "strerror", None) or str(error)


_WORDS = {
    FileNotFoundError: "there is no such socket: it does not run, or listens elsewhere",
    ConnectionRefusedError: "nobody listens there: it does not run",
    PermissionError: "this user may not connect to it",
    ConnectionError: "it hung up without an answer",
    http.client.IncompleteRead: "it hung up amid its answer",
    http.client.HTTPException: "it does not speak HTTP",
    UnicodeError: "no host has such a name",
}


def answer(server: Server, response: http.client.HTTPResponse) -> Any:
    """What an answer says. Raises ManagerError, and Fault where it is a refusal."""
    data = response.read(MOST_BYTES + 1)
    if response.status == http.HTTPStatus.UNAUTHORIZED:
        raise _wrong(server, _unauthorized(server))
    if response.status != http.HTTPStatus.OK:
        raise _wrong(server, f"it answered HTTP {response.status} {response.reason:.80}")
    if len(data) > MOST_BYTES:
        raise _wrong(server, f"it answered more than {MOST_BYTES >> 20} MB")
    if response.length:
        raise _wrong(server, "it hung up amid its answer")
    return value(server, data)


def value(server: Server, data: bytes) -> Any:
    """What a body says. Raises ManagerError, and Fault where it is a refusal."""
    try:
        (found,), _ = loads(data)
    except Fault as fault:
        if fault.faultCode == _SHUTDOWN_STATE:
            raise _wrong(server, "it is shutting down, or restarting") from fault
        raise
    except Exception as error:  # which of all kinds is not written down
        raise _wrong(server, "it does not speak XML-RPC") from error
    return found


def _unauthorized(server: Server) -> str:
    if server.username is None:
        return f"it wants username and password, and {server.conf} has none in [supervisorctl]"
    return f"it refuses username and password of {server.conf}"


def _wrong(server: Server, words: str) -> ManagerError:
    return ManagerError(f"{server.url}: {words}")


def _headers(server: Server) -> dict[str, str]:
    headers = {"Content-Type": "text/xml"}
    if server.username is not None:
        login = f"{server.username}:{server.password}".encode(errors="surrogateescape")
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    return headers


class _Connection(http.client.HTTPConnection):
    """To a server on this machine, of whom it is known that it may be believed."""

    def __init__(self, server: Server, timeout_s: float | None) -> None:
        super().__init__(server.host or "localhost", server.port, timeout=timeout_s)
        self._server = server

    def connect(self) -> None:
        """Connects. Raises OSError, or ManagerError where somebody else is there."""
        if not self._server.path:
            super().connect()
            check_near(self.sock, self._server)
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._server.path)
        check_user(self.sock, self._server)


def check_near(connected: socket.socket, server: Server) -> None:
    """Raises ManagerError for another machine, whose PIDs are other processes here."""
    there, here = connected.getpeername()[0], connected.getsockname()[0]
    if there != here and not there.startswith("127."):
        raise _wrong(server, "it is on another machine")


def check_user(connected: socket.socket, server: Server) -> None:
    """Raises ManagerError for a stranger: whoever may write to the folder could listen there."""
    if not sys.platform.startswith("linux"):
        return
    told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user = struct.unpack("3i", told)[1]  # unix(7): pid, uid, gid
    if user not in (0, os.geteuid()) and user != _user(server.user):
        words = f"user {user} listens there, and {server.conf} has no such user in [supervisord]"
        raise _wrong(server, words)


def _user(name: str) -> int | None:
    try:
        return int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
