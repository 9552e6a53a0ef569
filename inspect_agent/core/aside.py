"""A question that may have to wait for a disk, asked in a thread of its own: the loop goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from inspect_agent.core.loop import Loop, Timer
from inspect_agent.typed import Generic, TypeVar

PATIENCE_S = 1.0
"""So long one waits for an answer."""

A = TypeVar("A")


class Aside(Generic[A]):
    """One question, asked by one thread at a time, so that one that hangs is not doubled.

    Its answer is None where it raised an OSError, or does not come in time.
    """

    def __init__(self, loop: Loop, question: Callable[[], A]) -> None:
        self._loop, self._question = loop, question
        self._asked: list[Callable[[A | None], object]] = []
        self._waiting: list[Callable[[A | None], object]] = []
        self._is_running = self._hangs = False
        self._patience: Timer | None = None

    def ask(self, done: Callable[[A | None], object]) -> None:
        """Calls back in the loop, with what is true now or later."""
        if self._hangs:
            done(None)
            return
        self._waiting.append(done)
        if not self._is_running:
            self._start()

    def _start(self) -> None:
        self._asked, self._waiting = self._waiting, []
        self._is_running = True
        self._patience = self._loop.call_later(PATIENCE_S, self._give_up)
        try:
            threading.Thread(target=self._work, name="aside", daemon=True).start()
        except RuntimeError:  # no thread is to be had
            self._answered(None)

    def _work(self) -> None:
        answer = None
        try:
            answer = self._question()
        except OSError:
            pass
        finally:
            self._loop.call_soon_threadsafe(partial(self._answered, answer))

    def _answered(self, answer: A | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._is_running = self._hangs = False
        self._tell(answer)
        if self._waiting and not self._is_running:
            self._start()

    def _give_up(self) -> None:
        self._hangs = True
        self._asked += self._waiting
        self._waiting = []
        self._tell(None)

    def _tell(self, answer: A | None) -> None:
        asked, self._asked = self._asked, []
        for done in asked:
            done(answer)
