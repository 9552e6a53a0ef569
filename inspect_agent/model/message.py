"""What a channel is given to deliver."""

from __future__ import annotations

from inspect_agent.model.event import Event
from inspect_agent.typed import NamedTuple


class Message(NamedTuple):
    """One message, ready to be sent over any channel.

    id        the same at every try: Message-ID, dedup key and idempotency key are made of it
    host      the machine's name, as shown
    sent_at   wall time of the events' cycle, seconds since 1970
    subject   one line
    body      plain text, a few lines an event
    short     one line an event, for chat
    events    what it tells, in the order it happened
    """

    id: str
    host: str
    sent_at: float
    subject: str
    body: str
    short: str
    events: tuple[Event, ...]
