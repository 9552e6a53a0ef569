"""The conversation with a mail server, RFC 5321; an error names host, port, stage and way out.

answered with          the alert
4xx, or no answer      waits
5xx to RCPT TO, DATA   is lost: the server will never take it
5xx to anything else   waits: a password or a setting can be mended
530 to anything        waits: the server wants a login
"""

from __future__ import annotations

import base64
import contextlib
import smtplib
import socket
import ssl
import threading
from typing import NamedTuple

from inspect_agent.errors import ChannelError, DeliveryDelayed, DeliveryRefused

_FINAL_STAGES = ("RCPT TO", "DATA")
_LOGIN_WANTED = 530  # RFC 4954, 6
_ADVICE = {
    "connect": "are smtp_server and port right, and does a firewall let it through?",
    "TLS": "is this the port for TLS? `tls starttls` is for port 587, `tls none` for port 25",
    "STARTTLS": "`tls tls` is for port 465, `tls none` for port 25",
    "login": "are username and password right?",
    "MAIL FROM": "may from_email be used here?",
}


class Server(NamedTuple):
    """A mail server; `tls` is none, starttls or tls; without a username there is no login."""

    host: str
    port: int
    tls: str
    insecure: bool
    username: str
    password: str


class Envelope(NamedTuple):
    """A letter and who it is from and for, as the server is told."""

    sender: str
    recipient: str
    content: bytes


def deliver(server: Server, envelope: Envelope, timeout_s: float, deadline_s: float) -> str:
    """Sends one letter. Raises DeliveryDelayed or DeliveryRefused."""
    with _Deadline(deadline_s) as deadline:
        conversation = _Conversation(server, timeout_s, deadline)
        try:
            conversation.open()
            return conversation.send(envelope)
        except (OSError, smtplib.SMTPException) as error:
            raise _explained(conversation, error) from error
        finally:
            conversation.close()


class _Deadline:
    """Cuts a connection when its time is up, whatever it waits for and however it dawdles."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._guarded: socket.socket | None = None
        self._deciding = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._deciding:
            if self._guarded is not None:
                self._guarded.close()

    def guard(self, connection: socket.socket) -> None:
        """Watches a connection. It is a duplicate: TLS takes the original apart."""
        with self._deciding:
            self._guarded = connection.dup()
            if self.passed:
                raise TimeoutError

    def _cut(self) -> None:
        with self._deciding:
            self.passed = True
            if self._guarded is not None:
                with contextlib.suppress(OSError):
                    self._guarded.shutdown(socket.SHUT_RDWR)


class _Conversation:
    """One connection; `stage` is what the server was last asked for."""

    def __init__(self, server: Server, timeout_s: float, deadline: _Deadline) -> None:
        self.server = server
        self.stage = "connect"
        self.timeout_s = timeout_s
        self.deadline = deadline
        # smtplib would ask the DNS for a name of this machine, which may take its time
        self._smtp = smtplib.SMTP(local_hostname="localhost")

    def open(self) -> None:
        """Connects, encrypts and logs in."""
        server = self.server
        connection = socket.create_connection((server.host, server.port), self.timeout_s)
        self._smtp.sock = connection
        self._smtp.local_hostname = _address_literal(connection)
        self.deadline.guard(connection)
        if server.tls == "tls":
            self.stage = "TLS"
            self._encrypt(connection)
        self.stage = "greeting"
        _expect(220, self._smtp.getreply())
        self._greet()
        if server.tls == "starttls":
            self.stage = "STARTTLS"
            self._start_tls(connection)
        if server.username:
            self.stage = "login"
            self._log_in()

    def send(self, envelope: Envelope) -> str:
        """Hands the letter over; gives the server's words."""
        self.stage = "MAIL FROM"
        _expect(250, self._smtp.mail(envelope.sender))
        self.stage = "RCPT TO"
        _expect(250, self._smtp.rcpt(envelope.recipient), 251)
        self.stage = "DATA"
        said = _expect(250, self._smtp.data(envelope.content))
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it has the letter
            self._smtp.quit()
        return f"taken by {self.server.host}:{self.server.port}: {said}"

    def close(self) -> None:
        self._smtp.close()

    def _greet(self) -> None:
        self.stage = "EHLO"
        code, _ = self._smtp.ehlo()
        if code != 250:
            self.stage = "HELO"
            _expect(250, self._smtp.helo())

    def _start_tls(self, connection: socket.socket) -> None:
        if not self._smtp.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("the server does not offer STARTTLS")
        _expect(220, self._smtp.docmd("STARTTLS"))
        self._encrypt(connection)
        self._greet()  # RFC 3207, 4.2: what was said in the clear is forgotten

    def _encrypt(self, connection: socket.socket) -> None:
        context = ssl.create_default_context()
        if self.server.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._smtp.sock = context.wrap_socket(connection, server_hostname=self.server.host)
        self._smtp.file = None  # what was read ahead in the clear is not to be trusted

    def _log_in(self) -> None:
        if not self._smtp.has_extn("auth"):
            raise smtplib.SMTPNotSupportedError("the server offers none without TLS, or at all")
        username, password = self.server.username, self.server.password
        if (username + password).isascii():
            self._smtp.login(username, password)
            return
        # smtplib sends ASCII alone; PLAIN is UTF-8 (RFC 4616, 2), base64 on one line (RFC 4954, 4)
        words = base64.b64encode(f"\0{username}\0{password}".encode()).decode("ascii")
        _expect(235, self._smtp.docmd("AUTH", f"PLAIN {words}"))


def _address_literal(connection: socket.socket) -> str:
    """What a client without a public name says it is called (RFC 5321, 4.1.3)."""
    address = connection.getsockname()[0]
    return f"[IPv6:{address}]" if connection.family == socket.AF_INET6 else f"[{address}]"


def _expect(wanted: int, reply: tuple[int, bytes], *others: int) -> str:
    """The server's words, where its answer is the wanted one."""
    code, said = reply
    if code not in (wanted, *others):
        raise smtplib.SMTPResponseException(code, said)
    return f"{code} {_text(said)}"


def _text(said: bytes | str) -> str:
    return said if isinstance(said, str) else said.decode(errors="replace")


def _explained(conversation: _Conversation, error: Exception) -> ChannelError:
    """The error as an operator reads it, and whether another try can help."""
    server, stage = conversation.server, conversation.stage
    where = f"{server.host}:{server.port}: {stage}"
    if isinstance(error, smtplib.SMTPResponseException):
        refused = error.smtp_code >= 500 and error.smtp_code != _LOGIN_WANTED
        kind = DeliveryRefused if refused and stage in _FINAL_STAGES else DeliveryDelayed
        said = f"{error.smtp_code} {_text(error.smtp_error)}"
        if error.smtp_code < 0:
            said = "what answers is no mail server"
        return kind(_advised(f"{where}: {said}", stage))
    if conversation.deadline.passed:
        return DeliveryDelayed(f"{where}: no end after {conversation.deadline.seconds:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeliveryDelayed(
            f"{where}: the certificate does not verify ({error.verify_message}): let this machine "
            "trust who signed it, or say `insecure yes`"
        )
    return DeliveryDelayed(_advised(f"{where}: {_reason(error, conversation.timeout_s)}", stage))


def _reason(error: Exception, timeout_s: float) -> str:
    # smtplib turns an OSError into SMTPServerDisconnected and keeps it as the context
    cause = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if cause is None:
        return "the server closed the connection"
    return (isinstance(cause, OSError) and cause.strerror) or str(cause)


def _advised(text: str, stage: str) -> str:
    return f"{text}; {_ADVICE[stage]}" if stage in _ADVICE else text
