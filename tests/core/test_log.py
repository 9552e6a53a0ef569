"""The log: levels, one line a line, and a reader that does not read."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.core.log import Log
from inspect_agent.model.config import LogLevel

STAMP = "2026-11-21T09:48:51.123Z"
LEVELS: tuple[LogLevel, ...] = ("warn", "info", "debug", "verbose")


class Pipe:
    """A log into a pipe that takes so many bytes."""

    def __init__(self, level: LogLevel, journal: bool, holds_bytes: int) -> None:
        self.out, self.into = os.pipe()
        fcntl.fcntl(self.into, fcntl.F_SETPIPE_SZ, holds_bytes)
        os.set_blocking(self.out, False)
        self.log = Log(self.into, level, lambda: STAMP, journal)

    def read(self) -> bytes:
        """What lies in the pipe."""
        parts = []
        while True:
            try:
                parts.append(os.read(self.out, 65536))
            except BlockingIOError:
                return b"".join(parts)

    def say(self, level: LogLevel, text: str) -> None:
        """Logs."""
        getattr(self.log, level)(text)


@contextmanager
def piped(
    level: LogLevel = "info", journal: bool = False, holds_bytes: int = 1 << 20
) -> Iterator[Pipe]:
    """A log into a pipe."""
    pipe = Pipe(level, journal, holds_bytes)
    yield pipe
    os.close(pipe.out)
    os.close(pipe.into)


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_shows_itself_and_what_is_graver(level: LogLevel) -> None:
    """From warn, which shows least, to verbose; it can be changed while it runs."""
    with piped("warn") as pipe:
        pipe.log.level = level
        for other in LEVELS:
            pipe.say(other, f"at {other}")
        expected = [
            f"{STAMP} {one.upper():<7} at {one}" for one in LEVELS[: LEVELS.index(level) + 1]
        ]
        assert pipe.read().decode().splitlines() == expected


def test_the_journal_is_told_priorities() -> None:
    """As sd-daemon(3) has them, and no time: the journal has its own."""
    with piped("verbose", journal=True) as pipe:
        for level in LEVELS:
            pipe.say(level, "text")
        assert pipe.read() == b"<4>text\n<6>text\n<7>text\n<7>text\n"


def test_each_line_of_a_text_is_a_line_of_the_log() -> None:
    """With its own time and level, so that nothing can look like a line that is none."""
    with piped() as pipe:
        pipe.log.info("problem\n  if memory:rsss\n\n  ^ did you mean\r\n<0>forged\x0bmore\x85end")
        lines = pipe.read().decode().splitlines()
        texts = ["problem", "  if memory:rsss", "", "  ^ did you mean", "<0>forged", "more", "end"]
        assert lines == [f"{STAMP} INFO    {text}" for text in texts]


def test_an_empty_text_is_a_line() -> None:
    """Nothing that was logged is invisible."""
    with piped() as pipe:
        pipe.log.warn("")
        assert pipe.read().decode() == f"{STAMP} WARN    \n"


def test_control_characters_are_shown_as_such() -> None:
    """A terminal is told to do nothing, and text may be of any script."""
    with piped() as pipe:
        pipe.log.info("\x1b[2Jgrüße \u202egnp 日本\x07\ud800\x00")
        assert pipe.read().decode() == f"{STAMP} INFO    �[2Jgrüße �gnp 日本���\n"


@given(st.text(), st.booleans())
def test_no_text_makes_more_than_its_own_lines(text: str, journal: bool) -> None:
    """Whatever is logged: each line begins with the head, is UTF-8, and can be printed."""
    head = "<6>" if journal else f"{STAMP} INFO    "
    with piped(journal=journal) as pipe:
        pipe.log.info(text)
        written = pipe.read().decode()
    assert written.endswith("\n")
    lines = written[:-1].split("\n")
    assert len(lines) == max(1, len(text.splitlines()))
    assert all(line.startswith(head) and line.isprintable() for line in lines)


def test_a_long_line_is_cut_between_two_characters() -> None:
    """At what a pipe takes at once; the journal hides a line that holds half a character."""
    with piped(journal=True) as pipe:
        for offset in range(3):
            text = "x" * offset + "日" * 9000
            pipe.log.info(text)
            line = pipe.read()
            assert 4090 <= len(line) <= 4096
            assert line.decode() == f"<6>{text[: len(line.decode()) - 4]}\n"


def test_a_reader_that_does_not_read_blocks_nothing() -> None:
    """A thousand lines wait for it; what comes then is dropped, and how much is told."""
    with piped(holds_bytes=4096) as pipe:
        for number in range(5000):
            pipe.log.info(f"line {number}")
        lines: list[str] = []
        while part := pipe.read():
            lines += part.decode().splitlines()
            pipe.log.flush()
    texts = [line.removeprefix(f"{STAMP} INFO    ") for line in lines]
    kept = len(texts) - 1
    assert texts[:kept] == [f"line {number}" for number in range(kept)]
    assert kept >= 1000
    dropped = f"{5000 - kept} lines of this log were dropped: its reader was too slow"
    assert lines[-1] == f"{STAMP} WARN    {dropped}"


def test_a_reader_that_is_gone_harms_nothing() -> None:
    """Nobody will ever read it."""
    out, into = os.pipe()
    log = Log(into, "info", lambda: STAMP, journal=False)
    os.close(out)
    for _ in range(3000):
        log.info("anybody?")
    os.close(into)
