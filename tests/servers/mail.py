"""Mail servers on the loopback: a real one (aiosmtpd), and one that follows a script."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Letter(NamedTuple):
    """What arrived; `login` is the user who sent it, or None."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool
    login: str | None


class MailServer:
    """A real mail server; `letters` are those it took.

    tls       what it shows a certificate with, or None: it speaks in the clear alone
    implicit  TLS from the first byte, not by STARTTLS
    users     name → password; where there are any, nobody else may send
    replies   what it answers to MAIL, RCPT or DATA instead of 250
    port      where it listens; 0: the kernel chooses
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        users: Mapping[str, str] | None = None,
        replies: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.letters: SimpleQueue[Letter] = SimpleQueue()
        self.replies = dict(replies or {})
        self._users = dict(users or {})
        self._tls, self._implicit = tls, implicit
        self._loop = asyncio.new_event_loop()
        starting = self._loop.create_server(
            self._session, "127.0.0.1", port, ssl=tls if implicit else None
        )
        self._server = self._loop.run_until_complete(starting)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        """Closes the sockets, and lets what is still talked about end first."""
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _session(self) -> SMTP:
        # behind implicit TLS it does not know that it is encrypted, and would not let anyone log in
        return SMTP(
            self,
            hostname="mail.test",
            loop=self._loop,
            tls_context=None if self._implicit else self._tls,
            authenticator=self._authenticate if self._users else None,
            auth_required=bool(self._users) and not self._implicit,
            auth_require_tls=not self._implicit,
        )

    def _authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        known = self._users.get(data.login.decode())
        success = known is not None and known == data.password.decode()
        return AuthResult(success=success, handled=False, auth_data=data.login.decode())

    async def handle_MAIL(  # noqa: N802  # aiosmtpd calls hooks by the command's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Takes a sender, or answers as it was told to."""
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 sender ok")

    async def handle_RCPT(  # noqa: N802  # aiosmtpd calls hooks by the command's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Takes a recipient, or answers as it was told to."""
        envelope.rcpt_tos.append(address)
        return self.replies.get("RCPT", "250 recipient ok")

    async def handle_DATA(  # noqa: N802  # aiosmtpd calls hooks by the command's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        """Keeps a letter, or answers as it was told to."""
        if "DATA" in self.replies:
            return self.replies["DATA"]
        encrypted = session.ssl is not None or self._implicit
        recipients = tuple(envelope.rcpt_tos)
        self.letters.put(
            Letter(envelope.mail_from, recipients, envelope.content, encrypted, session.auth_data)
        )
        return "250 queued as 4711"


class ScriptedServer:
    """Says `greeting`, then answers each line by its first word; `{line}` in an answer is the line.

    An answer of None closes the connection; a word without an answer gets no answer at all.
    `heard` are the lines that came.
    """

    def __init__(
        self, greeting: bytes, answers: Mapping[str, str | None] | None = None, port: int = 0
    ) -> None:
        self._greeting = greeting
        self._answers = dict(answers or {})
        self.heard: SimpleQueue[str] = SimpleQueue()
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._open: list[socket.socket] = []

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        try:
            connection.sendall(self._greeting)
            with connection.makefile("r", encoding="utf-8", newline="\r\n") as lines:
                for line in lines:
                    self.heard.put(line.strip())
                    word = line.strip().partition(" ")[0].upper()
                    answer = self._answers.get(word, "")
                    if answer is None:
                        return
                    connection.sendall(answer.replace("{line}", line.strip()).encode())
        except OSError:
            return  # the client went away


class Dawdler:
    """Greets for ever: each line promises another, so that no single wait is a long one."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Dawdler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            try:
                while True:
                    connection.sendall(b"220-one moment, please\r\n")
            except OSError:
                return  # cut off, at last


class Mute:
    """Takes connections, by its backlog, and never says a word."""

    def __init__(self, port: int = 0) -> None:
        self._listening = socket.create_server(("127.0.0.1", port))
        self._listening.settimeout(60.0)
        self.port: int = self._listening.getsockname()[1]
        self._waiting: list[socket.socket] = []

    def __enter__(self) -> Mute:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (*self._waiting, self._listening):
            connection.close()

    def accept(self) -> None:
        """Waits for a client, and keeps it waiting."""
        self._waiting.append(self._listening.accept()[0])


def closed_port() -> int:
    """A port of the loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
