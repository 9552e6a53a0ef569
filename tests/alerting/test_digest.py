"""Which messages the events of a cycle become."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.alerting.digest import Row, Settled, rows, settle
from inspect_agent.alerting.route import Told
from inspect_agent.model.config import Destination
from inspect_agent.model.event import Event, EventKind
from tests.alerting.samples import FAILED, GONE, RECOVERED, REMINDER

MAIL = Destination("ops/email", "ops", "email", incidents=False)
PAGER = Destination("ops/pager", "ops", "pager", incidents=True)
DEFAULT = Destination("/log", "", "log", incidents=False)
ALL = (MAIL, PAGER, DEFAULT)
AT = 1795254531.0


def names() -> Callable[[], str]:
    """Ids that count: 1, 2, …"""
    numbers = count(1)
    return lambda: str(next(numbers))


def test_a_destination_gets_a_digest_or_a_row_an_event() -> None:
    """Events of a cycle go out together, save where the channel wants incidents."""
    told = (Told("ops", FAILED), Told("", GONE), Told("ops", GONE))
    assert rows(told, ALL, AT, names()) == (
        Row("ops/email", "1", AT, (FAILED, GONE)),
        Row("ops/pager", "2", AT, (FAILED,)),
        Row("ops/pager", "3", AT, (GONE,)),
        Row("/log", "4", AT, (GONE,)),
    )


def test_several_destinations_of_a_route_all_get_it() -> None:
    """Two statements for one route both deliver, each under an id of its own."""
    second = MAIL._replace(key="ops/email/2")
    assert rows((Told("ops", GONE),), (MAIL, second), AT, names()) == (
        Row("ops/email", "1", AT, (GONE,)),
        Row("ops/email/2", "2", AT, (GONE,)),
    )


def test_a_route_that_nobody_serves_makes_no_row() -> None:
    """A route that a reload removed is told nothing, and uses up no id."""
    assert rows((Told("gone", GONE),), ALL, AT, names()) == ()
    assert rows((), ALL, AT, names()) == ()


def test_a_failure_that_still_waits_goes_out_with_its_recovery() -> None:
    """The recovery's row takes the failure over; what else waited with it stays where it was."""
    waiting = (Row("ops/email", "1", AT, (GONE, FAILED)), Row("ops/email", "2", AT, (REMINDER,)))
    fresh = (Row("ops/email", "3", AT, (RECOVERED,)),)
    assert settle(waiting, fresh, ALL) == Settled(
        fresh=(Row("ops/email", "3", AT, (FAILED, RECOVERED)),),
        changed=(Row("ops/email", "1", AT, (GONE,)), Row("ops/email", "2", AT, ())),
    )


def test_what_waits_elsewhere_stays_apart() -> None:
    """Incidents open and resolve one by one, and no destination takes from another."""
    waiting = (Row("ops/pager", "1", AT, (FAILED,)), Row("/log", "2", AT, (FAILED,)))
    fresh = (Row("ops/email", "3", AT, (RECOVERED,)), Row("ops/pager", "4", AT, (RECOVERED,)))
    assert settle(waiting, fresh, ALL) == Settled(fresh, ())


def test_a_second_failure_leaves_the_first_where_it_waits() -> None:
    """Only what is over is joined."""
    waiting = (Row("ops/email", "1", AT, (FAILED,)),)
    fresh = (Row("ops/email", "2", AT, (GONE,)),)
    assert settle(waiting, fresh, ALL) == Settled(fresh, ())


def _event(kind: EventKind, incident: str, number: int) -> Event:
    return FAILED._replace(
        kind=kind, incident=incident, resolves=kind == "RuleRecovered", text=str(number)
    )


KINDS = st.sampled_from(("RuleFailed", "RuleReminder", "RuleRecovered"))
CYCLE = st.lists(st.tuples(KINDS, st.sampled_from("abc")), max_size=3)


@settings(deadline=None)
@given(cycles=st.lists(CYCLE, max_size=8))
def test_settling_keeps_what_is_news_in_the_order_of_each_incident(
    cycles: list[list[tuple[EventKind, str]]],
) -> None:
    """While nothing is taken no event is lost or doubled but reminders, no incident changes its
    order, and none has its recovery in another message than what came before it.
    """
    waiting: tuple[Row, ...] = ()
    happened: list[Event] = []
    new_id = names()
    for cycle in cycles:
        events = [_event(kind, name, len(happened) + i) for i, (kind, name) in enumerate(cycle)]
        happened += events
        fresh = rows([Told("ops", event) for event in events], (MAIL,), AT, new_id)
        settled = settle(waiting, fresh, (MAIL,))
        changed = {row.message_id: row for row in settled.changed}
        kept = (changed.get(row.message_id, row) for row in waiting)
        waiting = (*(row for row in kept if row.events), *settled.fresh)
    told = [event for row in waiting for event in row.events]
    for name in "abc":
        assert _news(told, name) == _news(happened, name)
        about = [[e for e in row.events if e.incident == name] for row in waiting]
        about = [events for events in about if events]
        assert not any(e.resolves for events in about[1:] for e in events)


def _news(events: list[Event], incident: str) -> list[Event]:
    return [e for e in events if e.incident == incident and e.kind != "RuleReminder"]
