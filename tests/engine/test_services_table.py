"""Every row of the service table: the whole next state, and the event."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest

from inspect_agent.engine.services import (
    LOOP_DEATHS,
    LOOP_WINDOW_S,
    Seen,
    ServiceState,
    Told,
    step,
)
from inspect_agent.model.observation import Status
from inspect_agent.model.target import Process

NOW = 1000.0
A = Process(10, 1.0)
B = Process(11, 900.0)
A_AGAIN = Process(10, 900.0)

UNKNOWN = ServiceState()
UP = ServiceState("up", A, "running", 500.0, was_up=True)
OUT = ServiceState("down", A, "stopped", 500.0, was_up=True)
LOST = OUT._replace(lost=True)

SEEN_A = Seen("up", A, "running")
SEEN_B = Seen("up", B, "running again")
OUTS: tuple[Status, ...] = ("down", "failed", "absent", "starting")
NOT_STARTING = OUTS[:3]


class Row(NamedTuple):
    """One step at NOW."""

    name: str
    state: ServiceState
    seen: Seen
    expected: ServiceState
    told: Told | None = None
    by_us: bool = False
    due: bool = True


def out(status: Status, returning: bool = False) -> Seen:
    """A service that is not up."""
    return Seen(status, None, f"it is {status}", returning)


def gone(state: ServiceState, status: Status, returning: bool = False) -> ServiceState:
    """The state once `out(status)` was seen, before anything is told."""
    return state._replace(
        status=status,
        reason=f"it is {status}",
        since=state.since if status == state.status else NOW,
        returning=returning,
    )


FIRST_SEEN_UP = ServiceState("up", A, "running", NOW, was_up=True)

UNKNOWN_ROWS = [
    Row("up", UNKNOWN, SEEN_A, FIRST_SEEN_UP),
    Row("up by us", UNKNOWN, SEEN_A, FIRST_SEEN_UP, by_us=True),
    Row("up too early", UNKNOWN, SEEN_A, FIRST_SEEN_UP, due=False),
    Row("no process", UNKNOWN, Seen("up"), ServiceState("up", since=NOW, was_up=True)),
    Row("starting", UNKNOWN, out("starting"), gone(UNKNOWN, "starting")),
    Row(
        "in its restart loop",
        UNKNOWN,
        out("starting", returning=True),
        gone(UNKNOWN, "starting", returning=True)._replace(lost=True),
        "ProcessDoesNotExist",
    ),
    *(
        Row(
            status,
            UNKNOWN,
            out(status),
            gone(UNKNOWN, status)._replace(lost=True),
            "ProcessDoesNotExist",
        )
        for status in NOT_STARTING
    ),
    *(
        Row(f"{status} too early", UNKNOWN, out(status), gone(UNKNOWN, status), due=False)
        for status in OUTS
    ),
]

VANISH_ROWS = [
    *(
        Row(
            f"{status}, due: {due}",
            UP,
            out(status),
            gone(UP, status)._replace(lost=True, deaths=(NOW,)),
            "ProcessDoesNotExist",
            due=due,
        )
        for status, due in product(OUTS, (True, False))
    ),
    *(
        Row(
            f"{status} after our own repair",
            UP,
            out(status),
            gone(UP, status)._replace(lost=True),
            "ProcessDoesNotExist",
            by_us=True,
        )
        for status in NOT_STARTING
    ),
    Row("starting by us", UP, out("starting"), gone(UP, "starting"), by_us=True),
    Row("expected, not due", UP, out("down"), gone(UP, "down"), by_us=True, due=False),
]

STAY_UP_ROWS = [
    Row("the same", UP, SEEN_A, UP),
    Row(
        "in another cgroup",
        UP,
        Seen("up", A._replace(cgroup="x"), "running"),
        UP._replace(process=A._replace(cgroup="x")),
    ),
    Row("other words", UP, Seen("up", A, "reloading"), UP._replace(reason="reloading")),
    Row("answers again", UP._replace(unanswered="timeout"), SEEN_A, UP),
    Row(
        "another process",
        UP,
        SEEN_B,
        UP._replace(process=B, reason="running again", since=NOW, deaths=(NOW,)),
        "ProcessChanged",
    ),
    Row(
        "the PID used again",
        UP,
        Seen("up", A_AGAIN, "running"),
        UP._replace(process=A_AGAIN, since=NOW, deaths=(NOW,)),
        "ProcessChanged",
    ),
    Row(
        "another process by us",
        UP,
        SEEN_B,
        UP._replace(process=B, reason="running again", since=NOW),
        by_us=True,
    ),
    Row(
        "no process any more",
        UP,
        Seen("up", None, "exited"),
        UP._replace(process=None, reason="exited"),
    ),
    Row("a process at last", UP._replace(process=None), SEEN_A, UP),
]

OUT_ROWS = [
    Row("down, not told yet", OUT, out("down"), gone(LOST, "down"), "ProcessDoesNotExist"),
    Row("down, too early", OUT, out("down"), gone(OUT, "down"), due=False),
    Row("down, told", LOST, out("down"), gone(LOST, "down")),
    Row("fails, told", LOST, out("failed"), gone(LOST, "failed")),
    Row("fails, not told", OUT, out("failed"), gone(LOST, "failed"), "ProcessDoesNotExist"),
    Row("goes, told", LOST, out("absent"), gone(LOST, "absent")),
    Row("goes, not told", OUT, out("absent"), gone(LOST, "absent"), "ProcessDoesNotExist"),
    Row("starts, not told", OUT, out("starting"), gone(OUT, "starting")),
    Row(
        "loops, not told",
        OUT,
        out("starting", returning=True),
        gone(LOST, "starting", returning=True),
        "ProcessDoesNotExist",
    ),
    Row("starts, told", LOST, out("starting"), gone(LOST, "starting")),
    Row(
        "never came up",
        gone(UNKNOWN, "starting"),
        out("failed"),
        gone(UNKNOWN, "failed")._replace(lost=True),
        "ProcessDoesNotExist",
    ),
    Row(
        "up, told",
        LOST,
        SEEN_B,
        FIRST_SEEN_UP._replace(process=B, reason="running again"),
        "ProcessExists",
    ),
    Row("up by us, told", LOST, SEEN_A, FIRST_SEEN_UP, "ProcessExists", by_us=True),
    Row("up, told, too early", LOST, SEEN_A, FIRST_SEEN_UP, "ProcessExists", due=False),
    Row("up, not told", OUT, SEEN_A, FIRST_SEEN_UP),
    Row(
        "up without a process",
        LOST,
        Seen("up", None, "active"),
        FIRST_SEEN_UP._replace(process=None, reason="active"),
        "ProcessExists",
    ),
]

SILENT_MANAGER = Seen("unknown", None, "timeout")
UNANSWERED_ROWS = [
    Row(name, state, SILENT_MANAGER, state._replace(unanswered="timeout"), due=due, by_us=by_us)
    for name, state in (("unknown", UNKNOWN), ("up", UP), ("out", OUT), ("lost", LOST))
    for due, by_us in product((True, False), (True, False))
]
UNANSWERED_ROWS.append(
    Row("without words", UP, Seen("unknown"), UP._replace(unanswered="no answer"))
)

FOUR = (700.0, 800.0, 900.0, 990.0)
LATE_FOUR = (NOW - LOOP_WINDOW_S, 800.0, 900.0, 990.0)
LOOPING = UP._replace(deaths=FOUR, lost=True, looping=True)
LOOP_ROWS = [
    Row(
        "the fourth death",
        UP._replace(deaths=FOUR[1:]),
        SEEN_B,
        UP._replace(process=B, reason="running again", since=NOW, deaths=(*FOUR[1:], NOW)),
        "ProcessChanged",
    ),
    Row(
        "the fifth, by change",
        UP._replace(deaths=FOUR),
        SEEN_B,
        UP._replace(
            process=B,
            reason="running again",
            since=NOW,
            deaths=(*FOUR, NOW),
            looping=True,
            lost=True,
        ),
        "CrashLoop",
    ),
    Row(
        "the fifth, by loss",
        UP._replace(deaths=FOUR),
        out("failed"),
        gone(UP, "failed")._replace(deaths=(*FOUR, NOW), looping=True, lost=True),
        "CrashLoop",
    ),
    Row(
        "an old death is forgotten",
        UP._replace(deaths=LATE_FOUR),
        out("failed"),
        gone(UP, "failed")._replace(deaths=(*FOUR[1:], NOW), lost=True),
        "ProcessDoesNotExist",
    ),
    Row(
        "an expected one does not count",
        UP._replace(deaths=FOUR),
        SEEN_B,
        UP._replace(process=B, reason="running again", since=NOW, deaths=FOUR),
        by_us=True,
    ),
    Row(
        "dies on in the loop",
        LOOPING,
        out("failed"),
        gone(LOOPING, "failed")._replace(deaths=(*FOUR[1:], NOW)),
    ),
    Row(
        "changes on in the loop",
        LOOPING,
        SEEN_B,
        LOOPING._replace(process=B, reason="running again", since=NOW, deaths=(*FOUR[1:], NOW)),
    ),
    Row("is up in the loop", gone(LOOPING, "failed"), SEEN_A, LOOPING._replace(since=NOW)),
    Row("stays out in the loop", gone(LOOPING, "failed"), out("down"), gone(LOOPING, "down")),
]

ROWS = [
    *UNKNOWN_ROWS,
    *VANISH_ROWS,
    *STAY_UP_ROWS,
    *OUT_ROWS,
    *UNANSWERED_ROWS,
    *LOOP_ROWS,
]


def label(row: Row) -> str:
    """`up-failed-the fifth, by loss`."""
    return f"{row.state.status}-{row.seen.status}-{row.name}"


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_a_row(row: Row) -> None:
    """Each row of the table gives exactly its next state and its event."""
    found = step(row.state, row.seen, NOW, expected=row.by_us, due=row.due)
    assert found == (row.expected, row.told)


def test_no_row_is_missing() -> None:
    """Unknown, up and out meet every status that a manager can answer."""
    froms = {"unknown": "unknown", "up": "up"}
    found = {(froms.get(row.state.status, "out"), row.seen.status) for row in ROWS}
    statuses = ("up", "unknown", *OUTS)
    assert found == set(product(("unknown", "up", "out"), statuses))


def test_a_service_begins_as_unknown() -> None:
    """Before the first answer nothing is known, told or counted."""
    begin = ServiceState("unknown", None, "", 0.0, "", False, False, False, (), False)
    assert ServiceState() == begin


def test_due_and_not_expected_are_what_is_assumed() -> None:
    """Without further words an absence is due, and nothing was expected."""
    assert step(UNKNOWN, out("down"), NOW)[1] == "ProcessDoesNotExist"
    assert step(UP, SEEN_B, NOW)[1] == "ProcessChanged"


def test_a_crash_loop_is_more_than_four_deaths_in_ten_minutes() -> None:
    """The two numbers of the table."""
    assert (LOOP_DEATHS, LOOP_WINDOW_S) == (4, 600.0)
