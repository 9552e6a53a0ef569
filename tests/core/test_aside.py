"""A question that may hang is asked by one thread at a time, and nobody waits for it for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from inspect_agent.core import aside
from inspect_agent.core.aside import Aside
from inspect_agent.core.loop import Loop
from tests.core.looping import PATIENCE_S, looping, run_until


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop in which nothing may raise."""
    with looping() as running:
        yield running


class Slow:
    """A question that is answered when the test says so: how often it was asked until then."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun, self._answer = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self) -> int:
        """Waits for `answer`."""
        self.asked += 1
        self.begun.release()
        assert self._answer.acquire(timeout=PATIENCE_S)
        return self.asked

    def answer(self) -> None:
        """Lets one answer come."""
        self._answer.release()

    def wait(self) -> None:
        """Waits until it is asked."""
        assert self.begun.acquire(timeout=PATIENCE_S)


def test_the_answer_comes_in_the_loop(loop: Loop) -> None:
    """Never before `ask` returns, and in the loop's own thread."""
    answers: list[tuple[int | None, int]] = []
    Aside(loop, lambda: 7).ask(lambda answer: answers.append((answer, threading.get_ident())))
    assert answers == []
    run_until(loop, lambda: answers)
    assert answers == [(7, threading.get_ident())]


def test_what_is_asked_later_is_answered_later(loop: Loop) -> None:
    """An answer that was under way may be older than the question; the next one is for all."""
    slow, answers = Slow(), list[int | None]()
    one = Aside(loop, slow)
    one.ask(answers.append)
    slow.wait()
    one.ask(answers.append)
    one.ask(answers.append)
    slow.answer()
    run_until(loop, lambda: answers)
    assert answers == [1]
    slow.answer()
    run_until(loop, lambda: len(answers) == 3)
    assert answers == [1, 2, 2]


def test_one_that_hangs_is_not_waited_for(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks meanwhile is told at once that there is no answer, and no thread is added."""
    monkeypatch.setattr(aside, "PATIENCE_S", 0.01)
    slow, answers = Slow(), list[int | None]()
    one = Aside(loop, slow)
    one.ask(answers.append)
    one.ask(answers.append)
    run_until(loop, lambda: len(answers) == 2)
    one.ask(answers.append)
    assert (answers, slow.asked) == ([None, None, None], 1)

    monkeypatch.setattr(aside, "PATIENCE_S", PATIENCE_S)
    slow.answer()
    slow.answer()
    while answers[-1] is None:  # its thread has come back
        one.ask(answers.append)
        loop.turn()
    assert answers[-1] == 2


def test_a_question_that_raises_has_no_answer(loop: Loop) -> None:
    """The disk is broken."""

    def broken() -> int:
        raise OSError(5, "Input/output error")

    answers: list[int | None] = []
    Aside(loop, broken).ask(answers.append)
    run_until(loop, lambda: answers)
    assert answers == [None]


def test_without_a_thread_there_is_no_answer(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives no more of them."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    answers: list[int | None] = []
    one = Aside(loop, lambda: 1)
    one.ask(answers.append)
    one.ask(answers.append)
    assert answers == [None, None]
