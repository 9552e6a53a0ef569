"""Services: what a change of a service's state means.

    from → to                                    event
    unknown → up                                 none
    unknown → out, unless it just starts         ProcessDoesNotExist, once, when it is due
    up → out                                     ProcessDoesNotExist
    out → up, unknown → up                       ProcessExists, if its loss was told
    up → up with another process                 ProcessChanged, unless it was expected
    any → unknown                                none: the state is kept, with the reason
    more than 4 deaths in 10 minutes             CrashLoop, once, instead of the single ones,
                                                 until it has been up for 10 minutes

`out` is down, failed, absent, or starting without a process. Where a manager cannot tell a crash
from a stop, the end of what was up is `failed` unless it was meant, and stays so until it is up.
The first line of each row's function is its cell in docs/engine.md.
"""

from __future__ import annotations

from collections.abc import Callable

from inspect_agent.model.observation import Status
from inspect_agent.model.target import Process
from inspect_agent.typed import Literal, NamedTuple

Told = Literal["ProcessDoesNotExist", "ProcessExists", "ProcessChanged", "CrashLoop"]
"""The events of this table."""

LOOP_DEATHS = 4
LOOP_WINDOW_S = 600.0


class Seen(NamedTuple):
    """What was just learnt of a service; `process` is None where it has none.

    returning   its manager is bringing it back by itself (a crash loop is that, too)
    ambiguous   down is all that is known: whether it was stopped or crashed follows from whether
                anybody asked for its end
    """

    status: Status
    process: Process | None = None
    reason: str = ""
    returning: bool = False
    ambiguous: bool = False


class ServiceState(NamedTuple):
    """What is known of a service; `status` is never taken back to unknown once it was known.

    process      its latest one; while it is out, the one it had
    since        when it came to this status, or to this process
    unanswered   why its manager does not answer now; "" while it does
    lost         its loss was told
    was_up       it has been seen up
    deaths       when it died, within the last LOOP_WINDOW_S
    looping      its CrashLoop was told, and it has not been up for LOOP_WINDOW_S since
    """

    status: Status = "unknown"
    process: Process | None = None
    reason: str = ""
    since: float = 0.0
    unanswered: str = ""
    returning: bool = False
    lost: bool = False
    was_up: bool = False
    deaths: tuple[float, ...] = ()
    looping: bool = False


def is_down(state: ServiceState) -> bool | None:
    """`down`: not running, whatever the reason. None while nobody can say."""
    if state.unanswered or state.status == "unknown":
        return None
    return state.status != "up"


def is_failed(state: ServiceState) -> bool | None:
    """`failed`: not running although it should be. None while nobody can say."""
    if state.unanswered or state.status == "unknown":
        return None
    if state.status == "starting":
        return state.returning
    return state.status == "failed" or (state.status == "absent" and state.was_up)


def step(
    state: ServiceState,
    seen: Seen,
    now: float,
    *,
    expected: bool = False,
    meant: bool = False,
    due: bool = True,
) -> tuple[ServiceState, Told | None]:
    """The next state of a service, and the event to tell.

    `expected`: what happened since the last step was done by this agent's repair or inside a
    deploy window. A service is not judged while either lasts: one step after it takes in all.
    `meant`: an end that was seen since is one that somebody asked for: a stop, a signal, a deploy.
    `due`: the agent has run for `start_delay`, so absence may be told.
    """
    plain = told_apart(seen, state, meant=meant)
    return _TABLE[_group(state.status), _group(seen.status)](state, plain, now, expected, due)


def told_apart(seen: Seen, before: ServiceState, *, meant: bool) -> Seen:
    """What was seen, with what an ambiguous end means after this state."""
    if not seen.ambiguous:
        return seen
    if before.status == "up" or (before.status == "starting" and before.was_up):
        return seen._replace(status="down" if meant else "failed")
    return seen._replace(status=before.status) if before.status in ("down", "failed") else seen


def tick(state: ServiceState, now: float) -> tuple[ServiceState, Told | None]:
    """Ends a crash loop whose service has been up for long enough."""
    up = state.status == "up" and not state.unanswered
    if state.looping and up and now - state.since >= LOOP_WINDOW_S:
        return state._replace(looping=False, lost=False, deaths=()), "ProcessExists"
    return state, None


_Group = Literal["unknown", "up", "out"]
_Step = tuple[ServiceState, "Told | None"]


def _group(status: Status) -> _Group:
    return status if status == "unknown" or status == "up" else "out"


def _arrive(state: ServiceState, seen: Seen, now: float) -> ServiceState:
    """The state with what was seen written into it, but for the process."""
    return state._replace(
        status=seen.status,
        reason=seen.reason,
        since=state.since if state.status == seen.status else now,
        unanswered="",
        returning=seen.returning,
        was_up=state.was_up or seen.status == "up",
    )


def _appear(state: ServiceState, seen: Seen, now: float, expected: bool, due: bool) -> _Step:
    """ProcessExists, if its loss was told."""
    told = state.lost and not state.looping
    state = _arrive(state, seen, now)._replace(process=seen.process)
    if told:
        return state._replace(lost=False), "ProcessExists"
    return state, None


def _vanish(state: ServiceState, seen: Seen, now: float, expected: bool, due: bool) -> _Step:
    """ProcessDoesNotExist, and a death; when expected no death, told like an absence."""
    state = _arrive(state, seen, now)
    if expected:
        return _miss(state, due)
    return _mourn(state, now, "ProcessDoesNotExist")


def _stay_out(state: ServiceState, seen: Seen, now: float, expected: bool, due: bool) -> _Step:
    """ProcessDoesNotExist once it is due, unless it was told or it just starts."""
    return _miss(_arrive(state, seen, now), due)


def _stay_up(state: ServiceState, seen: Seen, now: float, expected: bool, due: bool) -> _Step:
    """None; another process: ProcessChanged, and a death, unless it was expected."""
    before, process = state.process, seen.process
    state = _arrive(state, seen, now)._replace(process=process)
    if before is None or process is None or process.same_as(before):
        return state, None
    state = state._replace(since=now)
    if expected:
        return state, None
    return _mourn(state, now, "ProcessChanged")


def _unanswered(state: ServiceState, seen: Seen, now: float, expected: bool, due: bool) -> _Step:
    """None: everything is kept, with the reason."""
    return state._replace(unanswered=seen.reason or "no answer"), None


def _miss(state: ServiceState, due: bool) -> _Step:
    """Tells an absence that nobody was told of, as soon as it is due; starting is none yet."""
    arriving = state.status == "starting" and not state.returning
    if state.lost or not due or arriving:
        return state, None
    return state._replace(lost=True), "ProcessDoesNotExist"


def _mourn(state: ServiceState, now: float, event: Told) -> _Step:
    """Counts a death, and tells it or the loop that it belongs to."""
    deaths = (*(at for at in state.deaths if now - at < LOOP_WINDOW_S), now)
    if state.looping:
        return state._replace(deaths=deaths[-LOOP_DEATHS:]), None
    if len(deaths) > LOOP_DEATHS:
        return state._replace(deaths=deaths, looping=True, lost=True), "CrashLoop"
    return state._replace(deaths=deaths, lost=event == "ProcessDoesNotExist"), event


_TABLE: dict[tuple[_Group, _Group], Callable[[ServiceState, Seen, float, bool, bool], _Step]] = {
    ("unknown", "up"): _appear,
    ("unknown", "out"): _stay_out,
    ("unknown", "unknown"): _unanswered,
    ("up", "up"): _stay_up,
    ("up", "out"): _vanish,
    ("up", "unknown"): _unanswered,
    ("out", "up"): _appear,
    ("out", "out"): _stay_out,
    ("out", "unknown"): _unanswered,
}
