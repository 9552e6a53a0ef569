"""Deploy windows and unmonitored services: what is silent, and for how long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.engine.silence import (
    ALL,
    NOTHING,
    Silence,
    covers,
    cycle_over,
    doubt,
    expire,
    finish,
    in_doubt,
    in_window,
    is_unmonitored,
    monitor,
    names,
    start,
    unmonitor,
)

NAMES = ("web", "db")


def silent(silence: Silence) -> list[str]:
    """What is covered: `host`, `web` and `db`."""
    return [name or "host" for name in (ALL, *NAMES) if covers(silence, name)]


def windows(silence: Silence) -> list[str]:
    """What lies in an open deploy window."""
    return [name or "host" for name in (ALL, *NAMES) if in_window(silence, name)]


def test_nothing_is_silent_at_first() -> None:
    """No window, nothing that settles, nothing unmonitored."""
    assert (NOTHING, silent(NOTHING), windows(NOTHING)) == (Silence(), [], [])


def test_a_window_over_everything_covers_the_machine_too() -> None:
    """Without names the window is over all services and the host."""
    silence = start(NOTHING, (), 100.0)
    assert silence == Silence(windows=((ALL, 100.0),))
    assert silent(silence) == windows(silence) == ["host", "web", "db"]


def test_a_window_of_a_name_covers_that_service_alone() -> None:
    """The machine and the other services are judged on."""
    silence = start(NOTHING, ("web",), 100.0)
    assert silence == Silence(windows=(("web", 100.0),))
    assert silent(silence) == windows(silence) == ["web"]


def test_windows_stand_side_by_side() -> None:
    """The end of the global window leaves the named one open, and the other way round."""
    both = start(start(NOTHING, ("web",), 300.0), (), 100.0)
    left, ended = expire(both, 100.0, settle=0)
    assert (left, ended) == (Silence(windows=(("web", 300.0),)), (ALL,))
    assert silent(finish(both, ("web",), settle=0)) == ["host", "web", "db"]
    assert windows(finish(both, ("web",), settle=0)) == ["host", "web", "db"]


def test_opening_an_open_window_gives_it_the_new_end() -> None:
    """Whether longer or shorter, the last word counts; the other windows stay."""
    silence = start(start(NOTHING, NAMES, 100.0), ("web",), 50.0)
    assert silence == Silence(windows=(("db", 100.0), ("web", 50.0)))
    assert start(silence, ("db",), 900.0) == Silence(windows=(("web", 50.0), ("db", 900.0)))


def test_a_name_that_is_given_twice_is_one_window() -> None:
    """`start deploy web web` ends once, and says so once."""
    silence = start(NOTHING, ("web", "db", "web"), 100.0)
    assert silence == Silence(windows=(("web", 100.0), ("db", 100.0)))


def test_finish_without_names_closes_all() -> None:
    """Everything that was open settles."""
    silence = finish(start(start(NOTHING, ("web",), 300.0), (), 100.0), (), settle=1)
    assert silence == Silence(settling=(("web", 1), (ALL, 1)))


def test_finish_of_a_name_closes_that_window() -> None:
    """Other names stay open, and a name without a window changes nothing."""
    silence = start(NOTHING, NAMES, 100.0)
    finished = finish(silence, ("web", "other"), settle=1)
    assert finished == Silence(windows=(("db", 100.0),), settling=(("web", 1),))
    assert finish(NOTHING, ("web",), settle=1) == NOTHING
    assert finish(NOTHING, (), settle=1) == NOTHING


def test_a_window_ends_by_itself_at_its_time() -> None:
    """Not a moment before, and its name is given, for it says so itself."""
    silence = start(start(NOTHING, ("web",), 100.0), ("db",), 200.0)
    assert expire(silence, 99.9, settle=2) == (silence, ())
    left = Silence(windows=(("db", 200.0),), settling=(("web", 2),))
    assert expire(silence, 100.0, settle=2) == (left, ("web",))
    assert expire(silence, 500.0, settle=2)[1] == ("web", "db")


def test_a_cycle_without_an_end_leaves_the_object_as_it_is() -> None:
    """The ledger has nothing new where nothing expired and nothing settled."""
    silence = start(NOTHING, ("web",), 100.0)
    assert expire(silence, 0.0, settle=1)[0] is silence
    assert cycle_over(silence) is silence


def test_what_a_window_covered_settles_for_its_cycles() -> None:
    """Three settling cycles: silent in each, judged in the fourth; no window is open then."""
    silence = finish(start(NOTHING, ("web",), 100.0), (), settle=3)
    covered = []
    for _ in range(4):
        covered.append(silent(silence))
        assert windows(silence) == []
        silence = cycle_over(silence)
    assert covered == [["web"], ["web"], ["web"], []]
    assert silence == NOTHING


def test_the_end_of_the_global_window_settles_everything() -> None:
    """The machine and all services are silent for the settling cycle."""
    silence = finish(start(NOTHING, (), 100.0), (), settle=1)
    assert silent(silence) == ["host", "web", "db"]
    assert silent(cycle_over(silence)) == []


def test_without_settling_cycles_a_window_ends_at_once() -> None:
    """`set settle 0`: the cycle after the window is judged."""
    assert finish(start(NOTHING, (), 100.0), (), settle=0) == NOTHING


def test_a_new_window_ends_the_settling_of_what_it_covers() -> None:
    """A deploy right after a deploy: the window counts, and settles anew after it."""
    settling = finish(start(NOTHING, NAMES, 100.0), (), settle=3)
    silence = start(settling, ("web",), 200.0)
    assert silence == Silence(windows=(("web", 200.0),), settling=(("db", 3),))
    again = finish(silence, (), settle=1)
    assert again == Silence(settling=(("db", 3), ("web", 1)))


def test_settling_anew_counts_from_the_beginning() -> None:
    """Two ends of one name do not add up."""
    silence = Silence(windows=(("web", 100.0),), settling=(("web", 1), ("db", 1)))
    assert finish(silence, ("web",), settle=3) == Silence(settling=(("db", 1), ("web", 3)))


def test_unmonitored_is_silent_without_a_window() -> None:
    """Unmonitored is no deploy window, and no window's end ends it."""
    silence = unmonitor(unmonitor(NOTHING, "web"), "db")
    assert silence == Silence(unmonitored=("web", "db"))
    assert (silent(silence), windows(silence)) == (["web", "db"], [])
    assert silent(cycle_over(finish(start(silence, (), 100.0), (), settle=1))) == ["web", "db"]


def test_unmonitor_twice_is_once() -> None:
    """Monitor undoes it, however often it was said."""
    silence = unmonitor(unmonitor(NOTHING, "web"), "web")
    assert silence == Silence(unmonitored=("web",))
    assert silent(monitor(silence, "web", settle=0)) == []


def test_monitor_settles_first() -> None:
    """What is watched again is silent for the settling cycles; the others stay unmonitored."""
    silence = unmonitor(unmonitor(NOTHING, "web"), "db")
    watched = monitor(silence, "web", settle=1)
    assert watched == Silence(settling=(("web", 1),), unmonitored=("db",))
    assert silent(cycle_over(watched)) == ["db"]


def test_monitor_of_what_is_monitored_changes_nothing() -> None:
    """No settling where nothing was silent."""
    silence = start(NOTHING, ("web",), 100.0)
    assert monitor(silence, "web", settle=1) is silence


def test_an_unmonitored_service_stays_silent_under_a_window_that_ends() -> None:
    """Window and unmonitor are two reasons; one that ends leaves the other."""
    silence = finish(start(unmonitor(NOTHING, "web"), ("web",), 100.0), ("web",), settle=0)
    assert silence == Silence(unmonitored=("web",))


def test_a_template_covers_its_instances() -> None:
    """Also those that nobody knows yet; no other template, no service without instances."""
    asked = ("web@1", "web@2", "web@*", "web", "webs@1", "db@1")
    window = start(NOTHING, ("web@*",), 100.0)
    assert [name for name in asked if covers(window, name)] == ["web@1", "web@2", "web@*"]
    assert [name for name in asked if in_window(window, name)] == ["web@1", "web@2", "web@*"]
    alone = unmonitor(NOTHING, "web@*")
    assert [name for name in asked if covers(alone, name)] == ["web@1", "web@2", "web@*"]
    assert [name for name in asked if is_unmonitored(alone, name)] == ["web@1", "web@2", "web@*"]
    assert [name for name in asked if in_window(alone, name)] == []
    settling = finish(window, (), settle=1)
    assert [name for name in asked if covers(settling, name)] == ["web@1", "web@2", "web@*"]


def test_an_instance_covers_itself_alone() -> None:
    """Its like are judged on."""
    window = start(NOTHING, ("web@1",), 100.0)
    assert (covers(window, "web@1"), covers(window, "web@2"), covers(window, "web@*")) == (
        True,
        False,
        False,
    )


def test_the_end_for_a_template_is_the_end_for_its_instances() -> None:
    """As the end without a name is the end of all; what ends settles under its own name."""
    both = start(start(NOTHING, ("web@*", "db@1"), 100.0), ("web@1",), 200.0)
    finished = finish(both, ("web@*",), settle=1)
    assert finished == Silence(windows=(("db@1", 100.0),), settling=(("web@*", 1), ("web@1", 1)))
    alone = unmonitor(unmonitor(unmonitor(NOTHING, "web@1"), "web@*"), "db@1")
    assert monitor(alone, "web@*", settle=1) == Silence(
        settling=(("web@1", 1), ("web@*", 1)), unmonitored=("db@1",)
    )


def test_the_end_for_an_instance_leaves_its_template_silent() -> None:
    """A window of all is not made one of all but one."""
    both = start(NOTHING, ("web@*", "web@1"), 100.0)
    assert windows_of(finish(both, ("web@1",), settle=0)) == ["web@*"]
    assert monitor(unmonitor(NOTHING, "web@*"), "web@1", settle=1).unmonitored == ("web@*",)


def windows_of(silence: Silence) -> list[str]:
    """The names of the open windows."""
    return [name for name, _ in silence.windows]


def test_doubt() -> None:
    """It is no silence, ends by itself or with all windows, and is not shortened by another."""
    doubtful = doubt(doubt(NOTHING, 100.0), 50.0)
    assert (in_doubt(doubtful), covers(doubtful, "web")) == (True, False)
    assert expire(doubtful, 99.0, settle=1) == (doubtful, ())
    assert expire(doubtful, 100.0, settle=1) == (NOTHING, ())
    assert finish(doubtful, ("web",), settle=1) == doubtful
    assert finish(doubtful, (), settle=1) == NOTHING
    both = start(doubtful, ("web",), 100.0)
    assert expire(both, 100.0, settle=1) == (Silence(settling=(("web", 1),)), ("web",))


def test_the_names_of_silence() -> None:
    """What may be finished or monitored, whether it is watched or not; not everything's."""
    silence = unmonitor(start(start(NOTHING, (), 50.0), ("web@*", "db"), 100.0), "gone")
    assert names(silence) == ("web@*", "db", "gone")


_names = st.sampled_from([*NAMES, "web@1", "web@2", "web@*"])
commands = st.one_of(
    st.tuples(st.just("start"), st.lists(_names, max_size=2).map(tuple)),
    st.tuples(st.just("finish"), st.lists(_names, max_size=2).map(tuple)),
    st.tuples(st.just("unmonitor"), _names.map(lambda name: (name,))),
    st.tuples(st.just("monitor"), _names.map(lambda name: (name,))),
    st.tuples(st.just("cycle"), st.just(())),
)


def obey(silence: Silence, command: str, named: tuple[str, ...], now: float) -> Silence:
    """One command of an operator, or a cycle with its expiry before it."""
    if command == "start":
        return start(silence, named, now + 30.0)
    if command == "finish":
        return finish(silence, named, settle=1)
    if command == "unmonitor":
        return unmonitor(silence, named[0])
    if command == "monitor":
        return monitor(silence, named[0], settle=1)
    return cycle_over(expire(silence, now, settle=1)[0])


@given(st.lists(commands, max_size=40))
def test_silence_ends_with_its_reasons(story: list[tuple[str, tuple[str, ...]]]) -> None:
    """Whatever was said, after all windows' time and a monitor of all names nothing is silent."""
    silence = NOTHING
    for now, (command, named) in enumerate(story):
        silence = obey(silence, command, named, float(now))
        keys = [name for name, _ in silence.windows]
        assert len(keys) == len(set(keys))
        for name in (ALL, *NAMES, "web@2"):
            assert covers(silence, name) or not in_window(silence, name)
    for name in (*NAMES, "web@*"):
        silence = monitor(silence, name, settle=1)
    for later in (1000.0, 1010.0):
        silence = obey(silence, "cycle", (), later)
    assert silence == NOTHING
