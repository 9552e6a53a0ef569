"""A worker: objects both ways, its words in the log, its end, and its next start."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from inspect_agent.core.loop import Loop
from inspect_agent.core.worker import Worker
from tests.core.looping import looping, run_until
from tests.core.programs import Program

ECHO = """
import sys
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(line)
    sys.stdout.flush()
"""


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop in which nothing may raise."""
    with looping() as running:
        yield running


class Heard:
    """A worker and what it said."""

    def __init__(self, loop: Loop) -> None:
        self.lines: list[dict[str, Any]] = []
        self.ends: list[str] = []
        self.words: list[str] = []
        self.worker = Worker(
            loop, "testing", self.lines.append, self.ends.append, self.words.append
        )


@contextmanager
def running(loop: Loop) -> Iterator[Heard]:
    """A started worker; ended, and collected, when the test is over."""
    heard = Heard(loop)
    heard.worker.start()
    process = psutil.Process(heard.worker.pid)
    yield heard
    heard.worker.end()
    run_until(loop, lambda: not process.is_running())


def test_objects_go_both_ways_in_order(loop: Loop, program: Program) -> None:
    """Several in one piece, text of any script, and more than a pipe holds."""
    program.is_(ECHO)
    values: list[dict[str, Any]] = [
        {"n": 1},
        {"text": "grüße\n\u2028\0"},
        {"long": "x" * 1_000_000},
        {"n": 2},
    ]
    with running(loop) as heard:
        for value in values:
            heard.worker.send(value)
        run_until(loop, lambda: len(heard.lines) == 4)
    assert (heard.lines, heard.ends, heard.words) == (values, [], [])


def test_a_line_may_come_in_pieces(loop: Loop, program: Program) -> None:
    """It counts when it is whole."""
    program.is_(
        "import os, time\n"
        "for piece in (b'{\"n', b'\":1}\\n{\"m\":', b'2}\\n'):\n"
        "    os.write(1, piece); time.sleep(0.02)\n"
        "time.sleep(1000)"
    )
    with running(loop) as heard:
        run_until(loop, lambda: len(heard.lines) == 2)
    assert heard.lines == [{"n": 1}, {"m": 2}]


def test_a_worker_that_does_not_read_holds_nothing_up(loop: Loop, program: Program) -> None:
    """What it was sent waits in memory, and reaches it once it reads."""
    program.is_(
        "import signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "print('ready', file=sys.stderr, flush=True)\nsignal.sigwait([signal.SIGUSR1])\n" + ECHO
    )
    values = [{"n": number, "fill": "x" * 10_000} for number in range(100)]
    with running(loop) as heard:
        for value in values:
            heard.worker.send(value)
        run_until(loop, lambda: heard.words == ["ready"])
        assert heard.worker.pid is not None
        os.kill(heard.worker.pid, signal.SIGUSR1)
        run_until(loop, lambda: len(heard.lines) == 100)
    assert heard.lines == values


def test_its_standard_error_is_heard_line_by_line(loop: Loop, program: Program) -> None:
    """What is no UTF-8 is replaced."""
    program.is_(
        "import os, time\nos.write(2, b'caf\\xe9\\nno end yet')\n"
        "time.sleep(0.02)\nos.write(2, b', now\\n')\ntime.sleep(1000)"
    )
    with running(loop) as heard:
        run_until(loop, lambda: len(heard.words) == 2)
    assert heard.words == ["caf�", "no end yet, now"]


def test_its_last_words_are_heard_before_its_end(loop: Loop, program: Program) -> None:
    """A worker that dies says why, and may be started again."""
    program.is_("import sys\nsys.exit('Traceback: no such module')")
    with running(loop) as heard:
        run_until(loop, lambda: heard.ends)
        assert heard.worker.pid is None
        assert heard.ends == ["worker testing ended"]
        assert heard.words == ["Traceback: no such module"]
        program.is_(ECHO)
        heard.worker.start()
        heard.worker.send({"again": True})
        run_until(loop, lambda: heard.lines)
    assert (heard.lines, len(heard.ends)) == ([{"again": True}], 1)


def test_what_the_dead_one_was_not_sent_does_not_reach_the_next(
    loop: Loop, program: Program
) -> None:
    """A new worker is told everything anew by who started it."""
    program.is_("import signal\nsignal.sigwait([signal.SIGUSR1])")
    with running(loop) as heard:
        for number in range(100):
            heard.worker.send({"n": number, "fill": "x" * 10_000})
        assert heard.worker.pid is not None
        os.kill(heard.worker.pid, signal.SIGKILL)
        run_until(loop, lambda: heard.ends)
        program.is_(ECHO)
        heard.worker.start()
        heard.worker.send({"fresh": True})
        run_until(loop, lambda: heard.lines)
    assert heard.lines == [{"fresh": True}]
    assert len(heard.ends) == 1


@pytest.mark.parametrize(
    "garbage",
    ["hello", "", "{", '{"n": 1}}', "5", "null", "[]", '"text"', "\\xff\\xfe", "[" * 9999],
)
def test_garbage_ends_it(loop: Loop, program: Program, garbage: str) -> None:
    """A line that is no JSON object breaks the protocol: the worker is killed, and that is told."""
    program.is_(f"import os, time\nos.write(1, b'{garbage}\\n')\ntime.sleep(1000)")
    with running(loop) as heard:
        process = psutil.Process(heard.worker.pid)
        run_until(loop, lambda: heard.ends)
        assert heard.worker.pid is None
        run_until(loop, lambda: not process.is_running())
    assert heard.ends == ["worker testing wrote something other than a JSON object"]
    assert heard.lines == []


def test_closing_its_input_ends_it(loop: Loop, program: Program) -> None:
    """A worker that can be told nothing any more is of no use."""
    program.is_("import os, time\nos.close(0)\nos.write(1, b'{}\\n')\ntime.sleep(1000)")
    with running(loop) as heard:
        run_until(loop, lambda: heard.lines)
        heard.worker.send({"n": 1})
        run_until(loop, lambda: heard.ends)
    assert heard.ends == ["worker testing closed its input"]


def test_end_is_told_to_nobody(loop: Loop, program: Program) -> None:
    """Who ends it knows; it is collected, and nothing of it stays open."""
    program.is_(ECHO)
    before = len(os.listdir("/proc/self/fd"))
    heard = Heard(loop)
    heard.worker.end()
    heard.worker.start()
    process = psutil.Process(heard.worker.pid)
    heard.worker.send({"n": 1})
    heard.worker.end()
    heard.worker.end()
    heard.worker.send({"n": 2})
    run_until(loop, lambda: not process.is_running())
    assert (heard.lines, heard.ends, heard.worker.pid) == ([], [], None)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_cannot_be_started_raises(loop: Loop, program: Program) -> None:
    """OSError, as for any program that is not there; nothing is left behind."""
    heard = Heard(loop)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        heard.worker.start()
    assert heard.worker.pid is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_it_stands_alone(loop: Loop, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """In `/`, in a session of its own, without the agent's environment, secrets in no argument."""
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    monkeypatch.setenv("PYTHONPATH", "/tmp")
    program.is_(
        "import json, os, sys\n"
        "print(json.dumps({'environment': dict(os.environ), 'cwd': os.getcwd(),"
        " 'session': os.getsid(0) == os.getpid(), 'arguments': sys.argv[1:],"
        " 'descriptors': len(os.listdir('/proc/self/fd'))}), flush=True)\n" + ECHO
    )
    with running(loop) as heard:
        heard.worker.send({"password": "hunter2"})
        run_until(loop, lambda: len(heard.lines) == 2)
        assert "hunter2" not in repr(psutil.Process(heard.worker.pid).cmdline())
    assert heard.lines[0] == {
        "environment": {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
        },
        "cwd": "/",
        "session": True,
        "arguments": ["-I", "-m", "inspect_agent.workers.testing"],
        "descriptors": 4,
    }
