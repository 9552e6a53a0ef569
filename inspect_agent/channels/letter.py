"""A message as a letter: RFC 5322, fit for any server (7 bit, folded lines)."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, getaddresses

from inspect_agent.model.message import Message

_SEVEN_BIT = SMTP.clone(cte_type="7bit")  # not every server takes 8 bits (RFC 6152)


def mailbox(param: str, text: str) -> Address:
    """`ops@example.com` or `Ops <ops@example.com>`: one. Raises ValueError, with `param`."""
    try:
        ((name, spec),) = getaddresses([text])
        user, at, domain = spec.rpartition("@")
        if not (user and at and domain and user.isascii() and text.isprintable()):
            raise ValueError("it has another form")
        return Address(name, addr_spec=f"{user}@{domain.encode('idna').decode()}")
    except (ValueError, IndexError, MessageError) as error:
        raise ValueError(f"{param}: it is one address like ops@example.com") from error


def sender_of(host: str) -> Address:
    """The sender where none is configured."""
    return Address("inspect-agent", "inspect-agent", domain_of(host))


def domain_of(host: str) -> str:
    """A machine's name as what follows an @; `localhost` where nothing is left of it."""
    return re.sub(r"[^a-z0-9.-]+|\.{2,}", "-", host.lower()).strip(".-") or "localhost"


def written(message: Message, sender: Address, recipient: Address) -> bytes:
    """The whole letter; another try of the same message has the same Message-ID and Date."""
    letter = EmailMessage(policy=_SEVEN_BIT)
    letter["From"] = sender
    letter["To"] = recipient
    letter["Subject"] = message.subject
    letter["Date"] = formatdate(message.sent_at, localtime=True)
    letter["Message-ID"] = f"<{message.id}@{domain_of(message.host)}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notices, please
    letter.set_content(message.body + "\n")
    return letter.as_bytes()
