"""Alerts by mail, over any SMTP server.

tls        port   when nothing else is said
none       25     without username and tls_port: a mail server on this machine
starttls   587    with username, or with tls_port
tls        465    with port 465
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from inspect_agent.model.message import Message
from inspect_agent.model.metric import Param

if TYPE_CHECKING:
    from inspect_agent.channels.smtp import Server

TLS = ("none", "starttls", "tls")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Email:
    """Sends to one address.

    `timeout_s` is for each wait for the server, `deadline_s` for a whole delivery.
    """

    params = (
        Param("to_email", "text", "who gets it; several get one each", required=True, many=True),
        Param("smtp_server", "text", "the mail server; default: localhost"),
        Param("from_email", "text", "default: username, or inspect-agent@HOST"),
        Param("username", "text", "to log in; needs password"),
        Param("password", "secret", "to log in; needs username"),
        Param("tls_port", "port", "the server's port, with STARTTLS (465: with TLS)"),
        Param("port", "port", "the server's port; default: 25, 587 or 465, by tls"),
        Param("tls", "choice", "default: starttls with username or tls_port", choices=TLS),
        Param("insecure", "flag", "take any certificate; default: no"),
    )
    incidents = False

    def __init__(
        self, params: Mapping[str, str], timeout_s: float = 20.0, deadline_s: float = 60.0
    ) -> None:
        # the email package and ssl: the compile worker reads `params` without them
        from inspect_agent.channels.letter import mailbox

        username = params.get("username", "")
        sender = params.get("from_email") or (username if "@" in username else "")
        self._to = mailbox("to_email", params.get("to_email", ""))
        self._from = mailbox("from_email", sender) if sender else None
        self.server = _server(params)
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s

    def send(self, message: Message) -> str:
        """Hands the letter to the server, and says which one took it, in its words."""
        from inspect_agent.channels import letter, smtp

        sender = self._from or letter.sender_of(message.host)
        content = letter.written(message, sender, self._to)
        envelope = smtp.Envelope(sender.addr_spec, self._to.addr_spec, content)
        return smtp.deliver(self.server, envelope, self._timeout_s, self._deadline_s)


def _server(params: Mapping[str, str]) -> Server:
    """The server and how to talk to it. Raises ValueError for what does not go together."""
    from inspect_agent.channels.smtp import Server

    username, password = _credentials(params)
    if "port" in params and "tls_port" in params:
        raise ValueError("tls_port: say port or tls_port, not both")
    port = _port(params)
    tls = params.get("tls") or _usual_tls(port, bool(username) or "tls_port" in params)
    if tls not in TLS:
        raise ValueError(f"tls: it is one of {', '.join(TLS)}")
    insecure = params.get("insecure", "no").lower()
    if insecure not in _FLAGS:
        raise ValueError("insecure: it is yes or no")
    return Server(
        host=params.get("smtp_server") or "localhost",
        port=port or _PORTS[tls],
        tls=tls,
        insecure=_FLAGS[insecure],
        username=username,
        password=password,
    )


def _credentials(params: Mapping[str, str]) -> tuple[str, str]:
    """Username and password, both empty where there is no login."""
    for name, other in (("username", "password"), ("password", "username")):
        if params.get(name) and not params.get(other):
            raise ValueError(f"{name}: it needs a {other}, too")
    return params.get("username", ""), params.get("password", "")


def _usual_tls(port: int | None, wanted: bool) -> str:
    if port == _PORTS["tls"]:
        return "tls"
    return "starttls" if wanted else "none"


def _port(params: Mapping[str, str]) -> int | None:
    """The port that was given, by either name, or None."""
    for name in ("port", "tls_port"):
        if name in params:
            text = params[name]
            if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
                raise ValueError(f"{name}: it is a number from 1 to 65535")
            return int(text)
    return None
