"""What holds for every service whatever happens to it."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.engine.services import LOOP_WINDOW_S, Seen, ServiceState, Told, step, tick
from inspect_agent.model.target import Process

LOSSES = ("ProcessDoesNotExist", "CrashLoop")


class Sight(NamedTuple):
    """A look at the service, so long after the one before."""

    after_s: float
    seen: Seen
    by_us: bool
    due: bool


UPS = [Seen("up", Process(pid, float(pid))) for pid in (1, 2, 3)] + [Seen("up")]
OUTS = [Seen("down"), Seen("failed"), Seen("absent"), Seen("starting")]
LOOPS = [Seen("starting", returning=True)]
SIGHTS = [*UPS, *UPS, *UPS, *OUTS, *LOOPS, Seen("unknown", reason="timeout")]
sights = st.builds(
    Sight,
    st.sampled_from([1.0, 15.0, 60.0, 400.0]),
    st.sampled_from(SIGHTS),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([True, True, True, False]),
)
stories = st.lists(sights, max_size=10) | st.lists(sights, min_size=25, max_size=50)


class Moment(NamedTuple):
    """Where a service is after a look, and everything that was told at it."""

    at: float
    sight: Sight
    state: ServiceState
    told: tuple[Told, ...]


def watch(story: list[Sight]) -> list[Moment]:
    """What the core does: time first, then what was seen."""
    now, state, moments = 0.0, ServiceState(), []
    for sight in story:
        now += sight.after_s
        state, ended = tick(state, now)
        state, told = step(state, sight.seen, now, expected=sight.by_us, due=sight.due)
        both = tuple(event for event in (ended, told) if event is not None)
        moments.append(Moment(now, sight, state, both))
    return moments


def events_of(story: list[Sight]) -> list[tuple[bool, Told]]:
    """Every event, and whether a loss had been told and not taken back before it."""
    lost, events = False, []
    for event in (event for moment in watch(story) for event in moment.told):
        events.append((lost, event))
        lost = event in LOSSES or (lost and event != "ProcessExists")
    return events


@given(stories)
def test_nothing_comes_back_that_was_not_lost(story: list[Sight]) -> None:
    """ProcessExists is told only of a service whose loss or crash loop was told."""
    assert (False, "ProcessExists") not in events_of(story)


@given(stories)
def test_a_loss_is_told_once_until_it_is_back(story: list[Sight]) -> None:
    """Between two losses of a service lies a ProcessExists."""
    assert (True, "ProcessDoesNotExist") not in events_of(story)


@given(stories)
def test_a_loop_is_told_once_and_hushes_the_rest(story: list[Sight]) -> None:
    """After a CrashLoop the next event is the ProcessExists that ends it."""
    events = [event for _, event in events_of(story)]
    following = {after for event, after in pairwise(events) if event == "CrashLoop"}
    assert following <= {"ProcessExists"}


@given(stories)
def test_up_for_ten_minutes_ends_every_loop(story: list[Sight]) -> None:
    """Whatever happened, ten minutes of being up leave nothing lost and no loop."""
    rest = [Sight(60.0, UPS[0], False, True)] * int(LOOP_WINDOW_S / 60 + 2)
    state = watch([*story, *rest])[-1].state
    assert (state.looping, state.lost, state.status) == (False, False, "up")


@given(stories)
def test_what_is_up_is_lost_only_in_a_loop(story: list[Sight]) -> None:
    """A service that is up has nothing to come back from, unless it keeps dying."""
    for moment in watch(story):
        if moment.state.status == "up":
            assert moment.state.lost == moment.state.looping


@given(stories)
def test_what_this_agent_did_is_neither_death_nor_change(story: list[Sight]) -> None:
    """An expected change is never ProcessChanged, and never counts towards a crash loop."""
    ours = [sight._replace(by_us=True) for sight in story]
    for moment in watch(ours):
        assert moment.state.deaths == ()
        assert not {"ProcessChanged", "CrashLoop"} & set(moment.told)


@given(stories)
def test_a_silent_manager_changes_only_that_it_is_silent(story: list[Sight]) -> None:
    """While the manager does not answer, the state is kept and nothing is told."""
    for moment in watch(story):
        kept, told = step(moment.state, Seen("unknown", reason="timeout"), moment.at)
        assert (kept, told) == (moment.state._replace(unanswered="timeout"), None)
        assert tick(kept, moment.at + 10_000) == (kept, None)


@given(stories)
def test_a_known_status_is_never_unknown_again(story: list[Sight]) -> None:
    """Once a service was seen, its state says where it was seen last."""
    known = "unknown"
    for moment in watch(story):
        if moment.sight.seen.status != "unknown":
            known = moment.sight.seen.status
        assert moment.state.status == known


@given(stories)
def test_seeing_the_same_again_tells_nothing_new(story: list[Sight]) -> None:
    """A look that finds what the one before found, a second later, is no event."""
    for moment in watch(story):
        sight = moment.sight
        again = step(moment.state, sight.seen, moment.at + 1, due=sight.due)
        assert again == (moment.state, None)


@given(stories)
def test_a_service_that_is_out_for_good_is_told(story: list[Sight]) -> None:
    """Whatever happened, a service that stays failed has its loss told."""
    *_, last = watch([*story, Sight(1.0, Seen("failed"), False, True)])
    assert last.state.lost


@given(stories)
def test_deaths_are_few_and_recent(story: list[Sight]) -> None:
    """What is kept of deaths is bounded by their number and by time."""
    for moment in watch(story):
        deaths = moment.state.deaths
        assert len(deaths) <= 5
        assert all(0 < at <= moment.at for at in deaths)
        assert sorted(deaths) == list(deaths)
