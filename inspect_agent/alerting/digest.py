"""Which messages the events of one cycle become: one a destination, or one an event.

    the channel wants    events of one cycle        a recovery whose failure still waits
    digests              one row, in their order    takes the failure into its own row
    incidents            a row each                 stays apart: each opens or resolves

Pure: names of rows come from the caller, and what is waiting does too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from inspect_agent.alerting.route import Told
from inspect_agent.model.config import Destination
from inspect_agent.model.event import Event
from inspect_agent.typed import NamedTuple


class Row(NamedTuple):
    """One message for one destination, as the outbox keeps it: no URL, no secret.

    destination   the key of the destination
    message_id    the same as long as the row lives; Message-ID and dedup keys are made of it
    at            wall time of the cycle, seconds since 1970
    events        what it tells, in the order it happened; never empty
    """

    destination: str
    message_id: str
    at: float
    events: tuple[Event, ...]


class Settled(NamedTuple):
    """What a recovery does to rows that wait.

    fresh     the new rows, with the events they took over in front
    changed   waiting rows that lost events, under their old names; those that lost all of them
              have no events and are to be deleted
    """

    fresh: tuple[Row, ...]
    changed: tuple[Row, ...]


def rows(
    told: Sequence[Told],
    destinations: Iterable[Destination],
    at: float,
    new_id: Callable[[], str],
) -> tuple[Row, ...]:
    """The rows of one cycle, destination by destination; a route nobody serves gets none."""
    return tuple(
        Row(destination.key, new_id(), at, events)
        for destination in destinations
        for events in _messages(destination, told)
    )


def _messages(destination: Destination, told: Sequence[Told]) -> Iterable[tuple[Event, ...]]:
    events = tuple(item.event for item in told if item.route == destination.route)
    if destination.incidents:
        return [(event,) for event in events]
    return [events] if events else []


def settle(
    waiting: Sequence[Row], fresh: Sequence[Row], destinations: Iterable[Destination]
) -> Settled:
    """Joins failures that still wait with recoveries that are told now, in one message each.

    `waiting` are rows that were never tried, oldest first: one that was tried may have arrived,
    and its text must not change under its name. Reminders of what is over are dropped.
    """
    digests = {item.key for item in destinations if not item.incidents}
    over = {
        (row.destination, event.incident)
        for row in fresh
        for event in row.events
        if event.resolves and row.destination in digests
    }
    moved = [
        (row, event)
        for row in waiting
        for event in row.events
        if (row.destination, event.incident) in over
    ]
    losers = {row.message_id for row, _ in moved}
    return Settled(
        fresh=tuple(row._replace(events=_taken(row, moved) + row.events) for row in fresh),
        changed=tuple(_left(row, over) for row in waiting if row.message_id in losers),
    )


def _taken(row: Row, moved: Iterable[tuple[Row, Event]]) -> tuple[Event, ...]:
    """What `row` takes over: the events of the incidents that it resolves, without reminders."""
    incidents = {event.incident for event in row.events if event.resolves}
    return tuple(
        event
        for old, event in moved
        if old.destination == row.destination
        and event.incident in incidents
        and event.kind != "RuleReminder"
    )


def _left(row: Row, over: set[tuple[str, str]]) -> Row:
    """What stays of a waiting row."""
    kept = tuple(event for event in row.events if (row.destination, event.incident) not in over)
    return row._replace(events=kept)
