"""The loop: timers, descriptors, signals, calls from other threads."""

from __future__ import annotations

import os
import signal
import socket
import threading
from functools import partial

from inspect_agent.core.loop import Loop
from tests.core.looping import FakeClock, Reports, looping, run_until, turns


def test_timers_fire_in_the_order_of_their_times() -> None:
    """Due timers are called by their times, those of one time in the order they were set."""
    clock, called = FakeClock(), list[str]()
    with looping(clock) as loop:
        loop.call_later(3, partial(called.append, "c"))
        loop.call_later(1, partial(called.append, "a"))
        loop.call_at(clock.now + 3, partial(called.append, "d"))
        loop.call_at(clock.now + 2, partial(called.append, "b"))
        loop.call_later(9, partial(called.append, "not yet"))
        turns(loop, 1)
        assert called == []
        clock.now += 5.0
        turns(loop, 1)
    assert called == ["a", "b", "c", "d"]


def test_a_cancelled_timer_is_not_called() -> None:
    """Also when a timer of the same turn cancels it; to cancel one that was called is harmless."""
    clock, called = FakeClock(), list[str]()
    with looping(clock) as loop:
        first = loop.call_later(1, lambda: second.cancel())
        second = loop.call_later(2, partial(called.append, "second"))
        loop.call_later(3, partial(called.append, "third"))
        clock.now += 5.0
        turns(loop, 1)
        first.cancel()
    assert called == ["third"]


def test_the_loop_waits_for_the_next_timer() -> None:
    """A turn ends when the first timer that still counts is due."""
    called: list[str] = []
    with looping() as loop:
        loop.call_later(0.001, partial(called.append, "cancelled")).cancel()
        loop.call_later(0.01, partial(called.append, "due"))
        loop.call_later(500, partial(called.append, "later"))
        run_until(loop, lambda: called)
    assert called == ["due"]


def test_a_callback_that_raises_stops_nothing() -> None:
    """It is reported by its name; timers, descriptors, signals and calls after it are made."""
    clock, called, reports = FakeClock(), list[str](), Reports()

    def fail(what: str) -> None:
        raise ValueError(what)

    with looping(clock, reports) as loop:
        near, far = socket.socketpair()
        far.send(b"x")
        loop.add_reader(near.fileno(), partial(fail, "descriptor"))
        loop.on_signal(signal.SIGUSR1, partial(fail, "signal"))
        loop.call_later(1, partial(fail, "timer"))
        loop.call_later(2, partial(called.append, "timer"))
        loop.call_soon_threadsafe(partial(fail, "call"))
        loop.call_soon_threadsafe(partial(called.append, "call"))
        os.kill(os.getpid(), signal.SIGUSR1)
        clock.now += 5.0
        loop.turn()
        near.close()
        far.close()
    assert sorted(called) == ["call", "timer"]
    name = "test_a_callback_that_raises_stops_nothing.<locals>.fail"
    assert sorted(reports.texts) == [
        f"{name}: ValueError('{what}')" for what in ("call", "descriptor", "signal", "timer")
    ]


def test_a_descriptor_is_read_until_it_is_removed() -> None:
    """The callback comes again as long as there is something to read."""
    called: list[bytes] = []
    with looping() as loop:
        near, far = socket.socketpair()
        loop.add_reader(near.fileno(), lambda: called.append(near.recv(1)))
        far.send(b"ab")
        run_until(loop, lambda: len(called) == 2)
        loop.remove(near.fileno())
        loop.remove(near.fileno())
        far.send(b"c")
        turns(loop, 1)
        near.close()
        far.close()
    assert called == [b"a", b"b"]


def test_a_descriptor_is_either_read_or_written() -> None:
    """The last wish counts."""
    called: list[str] = []
    with looping() as loop:
        near, far = socket.socketpair()
        far.send(b"x")
        loop.add_reader(near.fileno(), partial(called.append, "read"))
        loop.add_writer(near.fileno(), partial(called.append, "write"))
        turns(loop, 1)
        loop.add_reader(near.fileno(), partial(called.append, "read"))
        turns(loop, 1)
        near.close()
        far.close()
    assert called == ["write", "read"]


def test_what_was_removed_in_a_turn_is_not_called_in_it() -> None:
    """Of two ready descriptors whose callbacks remove each other only one is called."""
    called: list[str] = []
    with looping() as loop:
        pairs = [socket.socketpair() for _ in range(2)]

        def read(mine: int) -> None:
            called.append(f"pair {mine}")
            for near, _ in pairs:
                loop.remove(near.fileno())

        for number, (near, far) in enumerate(pairs):
            far.send(b"x")
            loop.add_reader(near.fileno(), partial(read, number))
        turns(loop, 1)
        for near, far in pairs:
            near.close()
            far.close()
    assert len(called) == 1


def test_a_descriptor_given_away_in_a_turn_is_not_called_in_it() -> None:
    """Its number belongs to something else now, for which nothing was ready yet."""
    called: list[str] = []
    with looping() as loop:
        pairs = [socket.socketpair() for _ in range(2)]

        def read(mine: int) -> None:
            called.append("read")
            other = pairs[1 - mine][0].fileno()
            loop.remove(other)
            pairs[1 - mine][0].close()
            successor = os.dup(silent.fileno())
            assert successor == other
            loop.add_reader(successor, partial(called.append, "stale"))

        silent, _peer = socket.socketpair()
        for number, (near, far) in enumerate(pairs):
            far.send(b"x")
            loop.add_reader(near.fileno(), partial(read, number))
        turns(loop, 1)
        for pair in [*pairs, (silent, _peer)]:
            for one in pair:
                one.close()
    assert called == ["read"]


def test_another_thread_wakes_the_loop() -> None:
    """Its calls are made in its order, in the loop's thread, while the loop waits for nothing."""
    called: list[tuple[int, int]] = []

    def call(number: int) -> None:
        called.append((number, threading.get_ident()))

    def work(loop: Loop) -> None:
        for number in range(1000):
            loop.call_soon_threadsafe(partial(call, number))

    with looping() as loop:
        thread = threading.Thread(target=work, args=(loop,))
        thread.start()
        run_until(loop, lambda: len(called) == 1000)
        thread.join()
    assert called == [(number, threading.get_ident()) for number in range(1000)]


def test_a_call_made_by_a_call_waits_for_the_next_turn() -> None:
    """A call that asks for itself again does not keep timers and descriptors waiting."""
    clock, called = FakeClock(), list[str]()
    with looping(clock) as loop:

        def again() -> None:
            called.append("call")
            loop.call_soon_threadsafe(again)

        loop.call_soon_threadsafe(again)
        loop.call_later(1, partial(called.append, "timer"))
        clock.now += 5.0
        loop.turn()
        loop.turn()
    assert called == ["call", "timer", "call"]


def test_a_signal_is_called_in_the_loop() -> None:
    """Not in the middle of other code."""
    called: list[str] = []
    with looping() as loop:
        loop.on_signal(signal.SIGUSR1, partial(called.append, "signal"))
        os.kill(os.getpid(), signal.SIGUSR1)
        called.append("before")
        run_until(loop, lambda: len(called) > 1)
    assert called == ["before", "signal"]


def test_no_signal_is_lost_among_many_calls() -> None:
    """However many calls of other threads wait: a SIGTERM or SIGCHLD that is lost is fatal."""
    called: list[str] = []
    with looping() as loop:
        loop.on_signal(signal.SIGUSR1, partial(called.append, "signal"))
        for _ in range(5000):
            loop.call_soon_threadsafe(bool)
        os.kill(os.getpid(), signal.SIGUSR1)
        for _ in range(5000):
            turns(loop, 1)
            if called:
                break
    assert called == ["signal"]


def test_stop_ends_the_run() -> None:
    """`run` returns after the turn in which somebody stops it."""
    called: list[str] = []
    with looping() as loop:
        loop.call_later(0.0, loop.stop)
        loop.call_later(500, partial(called.append, "never"))
        loop.run()
    assert called == []


def test_close_gives_every_descriptor_back() -> None:
    """A loop leaves nothing open."""
    before = sorted(os.listdir("/proc/self/fd"))
    with looping():
        assert len(os.listdir("/proc/self/fd")) > len(before)
    assert sorted(os.listdir("/proc/self/fd")) == before
