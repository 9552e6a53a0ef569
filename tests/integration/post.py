"""The letters that arrive at a mail server, as tests read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from queue import Empty
from typing import NamedTuple

from tests.integration.following import GUARD_S
from tests.servers.mail import Letter, MailServer

_HEADLINE = re.compile(r"(CRITICAL|WARNING|INFO|RECOVERED) ")
_VALUE = re.compile(r" \([^()]*\)$")


class Mail(NamedTuple):
    """A letter that arrived.

    headlines   one an event, without what was measured: `CRITICAL sidekiq: memory:rss > 500m`
    """

    id: str
    recipient: str
    subject: str
    headlines: tuple[str, ...]
    text: str
    letter: Letter


class Postbox:
    """What a mail server took, in the order it arrived."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.read: list[Mail] = []

    def send(self, route: str = "", to: str = "ops@example.com", params: str = "") -> str:
        """The statement of inspect.conf that sends alerts here, in the clear and without login."""
        whom = f"to {route} " if route else ""
        where = f"smtp_server 127.0.0.1, port {self.server.port}, to_email {to}"
        return f"send alerts {whom}via email with {where}{', ' if params else ''}{params}"

    def next(self) -> Mail:
        """Waits for the next letter."""
        try:
            letter = self.server.letters.get(timeout=GUARD_S)
        except Empty:
            raise AssertionError(f"no further letter; so far: {self._subjects()}") from None
        self.read.append(_mail(letter))
        return self.read[-1]

    def told(self, count: int) -> list[str]:
        """Waits for so many events, in whatever letters; their headlines."""
        headlines: list[str] = []
        while len(headlines) < count:
            headlines += self.next().headlines
        return headlines

    def until(self, holds: Callable[[list[Mail]], object]) -> list[Mail]:
        """Waits for letters until this is true of all that were read; they."""
        while not holds(self.read):
            self.next()
        return self.read

    def rest(self) -> list[Mail]:
        """The letters that have arrived and were not read yet."""
        rest = []
        while not self.server.letters.empty():
            rest.append(self.next())
        return rest

    def _subjects(self) -> list[str]:
        return [mail.subject for mail in self.read]


def _mail(letter: Letter) -> Mail:
    message = message_from_bytes(letter.content, policy=default)
    assert isinstance(message, EmailMessage)
    text = message.get_content()
    headlines = tuple(_VALUE.sub("", line) for line in text.splitlines() if _HEADLINE.match(line))
    (recipient,) = letter.recipients
    return Mail(message["Message-ID"], recipient, message["Subject"], headlines, text, letter)
