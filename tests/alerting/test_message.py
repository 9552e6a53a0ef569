"""Events as people read them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.alerting.digest import Row
from inspect_agent.alerting.message import compose, headline
from inspect_agent.alerting.phrases import HEADLINES
from inspect_agent.model import event as model_event
from inspect_agent.model import rule as model_rule
from inspect_agent.model.event import Event
from inspect_agent.model.message import Message
from tests.alerting.samples import FAILED, GONE, RECOVERED, REMINDER
from tests.literals import members

ROW = Row("ops/email", "id-1", 1795254531.0, (FAILED,))


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC, wherever the test runs."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def test_one_event_is_told_in_full() -> None:
    """A failed rule: what it says, as written, with its value, when, and what to type next."""
    assert compose("web-1", ROW) == Message(
        id="id-1",
        host="web-1",
        sent_at=1795254531.0,
        subject="[web-1] CRITICAL sidekiq: memory:rss > 500m for 2 cycles (612.40m)",
        body="""\
CRITICAL sidekiq: memory:rss > 500m for 2 cycles (612.40m)

sidekiq: memory:rss > 500m for 2 cycles is true (612.40m)

  Host      web-1
  Service   sidekiq
  Rule      memory:rss > 500m for 2 cycles
  Value     612.40m
  When      2026-11-21 09:48:51 +0000

  Next      inspectctl show sidekiq memory:rss""",
        short="CRITICAL sidekiq: memory:rss > 500m for 2 cycles (612.40m)",
        events=(FAILED,),
    )


def test_a_digest_tells_each_event_in_its_order() -> None:
    """Several events of a cycle are counted in the subject and told one after the other."""
    message = compose("web-1", ROW._replace(events=(GONE, RECOVERED)))
    assert message.subject == (
        "[web-1] 2 events: CRITICAL nginx: not running; "
        "RECOVERED sidekiq: memory:rss > 500m for 2 cycles (312.00m)"
    )
    assert message.short == (
        "CRITICAL nginx: not running\nRECOVERED sidekiq: memory:rss > 500m for 2 cycles (312.00m)"
    )
    assert (
        message.body
        == """\
2 events on web-1, the oldest first:

CRITICAL nginx: not running

nginx is not running (failed)

  Host      web-1
  Service   nginx
  When      2026-11-21 09:48:52 +0000
  Detail    failed (failed), Result=signal

  Next      inspectctl status

RECOVERED sidekiq: memory:rss > 500m for 2 cycles (312.00m)

sidekiq: memory:rss > 500m for 2 cycles is over (312.00m)

  Host      web-1
  Service   sidekiq
  Rule      memory:rss > 500m for 2 cycles
  Value     312.00m
  When      2026-11-21 09:49:51 +0000

  Next      inspectctl show sidekiq memory:rss"""
    )


def test_a_long_digest_has_a_short_subject() -> None:
    """A subject is cut where a mail client would cut it anyway, and says how many there are."""
    message = compose("web-1", ROW._replace(events=(FAILED,) * 50))
    assert message.subject.startswith("[web-1] 50 events: CRITICAL sidekiq: ")
    assert (len(message.subject), message.subject[-1]) == (200, "…")


def test_a_detail_of_several_lines_stays_in_its_column() -> None:
    """The last lines of a failed command are told as they were printed."""
    event = GONE._replace(kind="RepairFailed", detail="\nexit status 1\n\n  no such unit\x1b[0m\n")
    body = compose("web-1", ROW._replace(events=(event,))).body
    assert (
        "  Detail    exit status 1\n            \n              no such unit [0m\n\n  Next" in body
    )


def test_a_probe_is_called_by_its_name() -> None:
    """It is no service, and its line says so."""
    message = compose("web-1", ROW._replace(events=(FAILED._replace(target="probe shop"),)))
    assert message.subject == "[web-1] CRITICAL shop: memory:rss > 500m for 2 cycles (612.40m)"
    assert "\n  Host      web-1\n  Probe     shop\n  Rule      " in message.body


HOST = FAILED._replace(target="host")


@pytest.mark.parametrize(
    ("event", "next_step"),
    [
        (HOST._replace(rule="disk:/ > 90%"), "inspectctl show host disk:/"),
        (HOST._replace(rule='"disk:/my vol" > 90%'), "inspectctl show host 'disk:/my vol'"),
        (HOST._replace(rule="load:5 >= 3 and swap > 1%"), "inspectctl show host load:5"),
        (FAILED._replace(rule="failed for 2 cycles"), "inspectctl status"),
        (FAILED._replace(target="service $(reboot)"), "inspectctl show '$(reboot)' memory:rss"),
        (
            FAILED._replace(target="probe shop", rule="tls:days < 9"),
            "inspectctl show shop tls:days",
        ),
        (GONE, "inspectctl status"),
        (
            GONE._replace(kind="WindowEnded", target="agent"),
            "inspectctl start deploy (if the deploy is still going on)",
        ),
        (GONE._replace(kind="ConfigurationRejected", target="agent"), "inspectctl check"),
        (
            GONE._replace(kind="StateLost", target="agent"),
            "inspectctl finish deploy (if nothing is being deployed)",
        ),
    ],
)
def test_the_next_step_can_be_typed(event: Event, next_step: str) -> None:
    """The command shows the rule's metric where there is one, and no name can become a command."""
    body = compose("web-1", ROW._replace(events=(event,))).body
    assert body.splitlines()[-1] == f"  Next      {next_step}"


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (REMINDER, "CRITICAL sidekiq: still memory:rss > 500m for 2 cycles (612.40m)"),
        (
            FAILED._replace(severity="warning", value=""),
            "WARNING sidekiq: memory:rss > 500m for 2 cycles",
        ),
        (
            RECOVERED._replace(kind="RuleWithdrawn", value=""),
            "RECOVERED sidekiq: no longer watched: memory:rss > 500m for 2 cycles",
        ),
        (FAILED._replace(rule="", value="", text="it is bad"), "CRITICAL sidekiq: it is bad"),
        (GONE._replace(kind="CrashLoop"), "CRITICAL nginx: keeps dying"),
        (
            GONE._replace(target="agent", kind="ConfigurationRejected"),
            "CRITICAL agent: new configuration rejected",
        ),
    ],
)
def test_a_headline_says_what_is_the_matter(event: Event, line: str) -> None:
    """Severity or recovery, the name, and the rule or what happened."""
    assert headline(event) == line


def test_every_kind_of_event_has_a_headline() -> None:
    """No event is told without words."""
    assert set(HEADLINES) == set(members(model_event, "EventKind"))


ANY_TEXT = st.text(alphabet=st.characters(), max_size=60)


@settings(deadline=None)
@given(
    host=ANY_TEXT,
    events=st.lists(
        st.builds(
            Event,
            kind=st.sampled_from(members(model_event, "EventKind")),
            target=ANY_TEXT,
            at=st.floats(0, 4e9),
            text=ANY_TEXT,
            incident=ANY_TEXT,
            rule=ANY_TEXT,
            value=ANY_TEXT,
            detail=ANY_TEXT,
            severity=st.sampled_from(members(model_rule, "Severity")),
            resolves=st.booleans(),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_any_names_make_a_message_that_is_fit_to_print(host: str, events: list[Event]) -> None:
    """Whatever is in an event, the subject is one printable line, and so is each of the body."""
    message = compose(host, ROW._replace(events=tuple(events)))
    assert message.subject.isprintable()
    assert len(message.subject) <= 200
    assert all(line.isprintable() for line in message.body.split("\n"))
    assert len(message.short.split("\n")) == len(events)
    message.body.encode()
