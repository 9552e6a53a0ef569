"""Commands as children: how they end, what they may do, and that nothing holds the loop up."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from inspect_agent.core.child import MOST_OUTPUT, Children
from inspect_agent.core.loop import Loop
from inspect_agent.model.observation import Command, Finished
from inspect_agent.sources.process import machine_processes
from tests.core.looping import PATIENCE_S, Reports, has_ended, looping, run_until


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop in which nothing may raise."""
    with looping() as running:
        yield running


AGENT = """
import sys
from inspect_agent import clock
from inspect_agent.core.child import Children
from inspect_agent.core.loop import Loop
from inspect_agent.model.observation import Command
loop = Loop(clock.now, print)
Children(loop).carry_out(Command(("/bin/sh", "-c", sys.argv[1]), 60.0), print)
print("begun", flush=True)
loop.run()
"""


def run(loop: Loop, *argv: str, timeout_s: float = 25.0, **environment: str) -> Finished:
    """Runs one command to its end."""
    ended: list[Finished] = []
    Children(loop).carry_out(Command(argv, timeout_s), ended.append, environment)
    assert ended == [], "nobody is called back before the loop turns"
    run_until(loop, lambda: ended)
    (finished,) = ended
    return finished


def sh(loop: Loop, script: str, timeout_s: float = 25.0) -> Finished:
    """Runs a shell script to its end."""
    return run(loop, "/bin/sh", "-c", script, timeout_s=timeout_s)


def end(pid: int) -> None:
    """Ends a process that a command left behind."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_exit_status_and_both_streams(loop: Loop) -> None:
    """A command's words come apart, and whole."""
    assert sh(loop, "echo out; echo err >&2; exit 3") == Finished(3, "out\n", "err\n")


def test_a_signal_is_a_negative_exit_status(loop: Loop) -> None:
    """As subprocess has it."""
    assert sh(loop, "kill -TERM $$") == Finished(-15, "", "")


def test_words_that_are_not_utf8_are_replaced(loop: Loop) -> None:
    """A byte that is no text harms nothing."""
    assert sh(loop, r"printf 'caf\351'") == Finished(0, "caf�", "")


def test_the_deadline_kills_the_whole_group(loop: Loop) -> None:
    """Also the grandchildren, and those that ignore every wish to end."""
    finished = sh(loop, "trap '' TERM HUP; sleep 1000 & echo $!; wait", timeout_s=0.3)
    assert finished.exit_status is None
    assert finished.stderr == "killed after 0.3 s without an end"
    grandchild = int(finished.stdout)
    assert has_ended(grandchild)


def test_what_was_written_before_the_deadline_is_kept(loop: Loop) -> None:
    """It says how far the command came."""
    finished = sh(loop, "echo stopping; echo slowly >&2; sleep 1000", timeout_s=0.3)
    words = "slowly\nkilled after 0.3 s without an end"
    assert finished == Finished(None, "stopping\n", words)


def test_a_daemon_that_keeps_the_pipes_does_not_delay_the_end(loop: Loop) -> None:
    """A command has ended when its process has, whoever still could write."""
    finished = sh(loop, "sleep 1000 & echo $!; echo started >&2")
    daemon = int(finished.stdout)
    alive = machine_processes().identify(daemon) is not None
    end(daemon)
    assert finished == Finished(0, f"{daemon}\n", "started\n")
    assert alive


def test_a_daemon_that_goes_on_talking_does_not_delay_the_end(loop: Loop) -> None:
    """Only what its command can have written is waited for, not what follows."""
    finished = sh(loop, "for i in 1 2 3 4; do yes & echo $! >&2; done; sleep 0.1")
    for daemon in finished.stderr.split():
        end(int(daemon))
    assert (finished.exit_status, finished.stdout[:4]) == (0, "y\ny\n")


TALKS_LATER = "read line < {go}; echo out; echo err >&2; echo yes > {alive}"


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """A script that talks when it is told to, and what tells it, and hears whether it lives on."""
    go, alive = tmp_path / "go", tmp_path / "alive"
    os.mkfifo(go)
    os.mkfifo(alive)
    heard = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)

    def tell() -> str:
        go.write_text("on\n")
        ready, _, _ = select.select([heard], [], [], PATIENCE_S)
        return os.read(heard, 10).decode() if ready else ""

    yield TALKS_LATER.format(go=go, alive=alive), tell
    os.close(heard)


def test_a_daemon_that_talks_later_lives_on(
    loop: Loop, pipes: tuple[str, Callable[[], str]]
) -> None:
    """Somebody reads what it has to say when its command has long ended."""
    script, tell = pipes
    assert sh(loop, f"({script}) &") == Finished(0, "", "")
    assert tell() == "yes\n"


def test_a_command_outlives_the_agent(pipes: tuple[str, Callable[[], str]]) -> None:
    """It comes to its end although nobody is there to hear it."""
    script, tell = pipes
    agent = subprocess.Popen([sys.executable, "-c", AGENT, script], stdout=subprocess.PIPE)
    assert agent.stdout is not None
    assert agent.stdout.readline() == b"begun\n"
    agent.kill()
    agent.wait()
    agent.stdout.close()
    assert tell() == "yes\n"


def test_all_that_lies_in_the_pipe_at_the_end_is_kept(loop: Loop) -> None:
    """A full pipe, written and left."""
    code = "import os; os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)"
    assert run(loop, sys.executable, "-c", code) == Finished(0, "x" * 65536, "y" * 65536)


def test_output_is_bounded(loop: Loop) -> None:
    """More than 16 MiB are read and thrown away, so the command can end."""
    finished = sh(loop, f"head -c {MOST_OUTPUT + 5_000_000} /dev/zero; echo end >&2")
    assert (finished.exit_status, len(finished.stdout)) == (0, MOST_OUTPUT)
    assert finished.stderr == "end\n"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("/no/such/program", "x"), "cannot run /no/such/program: No such file or directory"),
        (("/etc/passwd",), "cannot run /etc/passwd: Permission denied"),
        (("/bin/echo", "a\0b"), "cannot run /bin/echo: embedded null byte"),
    ],
)
def test_what_cannot_be_started_ends_with_the_reason(
    loop: Loop, argv: tuple[str, ...], reason: str
) -> None:
    """In the loop, like everything else."""
    assert run(loop, *argv) == Finished(None, "", reason)


def test_the_environment_is_clean(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the agent's own reaches a command but what it is given by name."""
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    finished = run(loop, "/usr/bin/env", INSPECT_SERVICE="sidekiq")
    assert sorted(finished.stdout.splitlines()) == [
        "INSPECT_SERVICE=sidekiq",
        "LC_ALL=C",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]


def test_a_command_stands_alone(loop: Loop) -> None:
    """In `/`, in a session of its own, with nothing to read and no descriptor of the agent's."""
    code = (
        "import os, sys; print(os.getcwd(), os.getsid(0) == os.getpid(), repr(sys.stdin.read()),"
        " sorted(os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')))"
    )
    near, far = os.pipe()
    os.set_inheritable(near, True)
    finished = run(loop, sys.executable, "-c", code)
    os.close(near)
    os.close(far)
    # the fourth is the one that lists them
    assert finished == Finished(0, "/ True '' ['0', '1', '2'] 4\n", "")


def test_what_may_not_be_killed_is_given_up(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that became another user, as by sudo, does not keep its repair running for ever."""
    spared: list[int] = []

    def refuse(group: int, number: int) -> None:
        spared.append(group)
        raise PermissionError(1, "Operation not permitted")

    before = sorted(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "killpg", refuse)
    finished = sh(loop, "echo begun; exec sleep 1000", timeout_s=0.3)
    (pid,) = spared
    end(pid)
    assert finished == Finished(None, "begun\n", "no end after 0.3 s, and it may not be killed")
    assert has_ended(pid)
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_what_does_not_end_when_killed_is_given_up(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs in the kernel outlives every signal; here none reaches it."""
    before = sorted(os.listdir("/proc/self/fd"))
    spared: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, number: spared.append(group))
    finished = sh(loop, "echo begun; exec sleep 1000", timeout_s=0.3)
    (pid,) = spared
    end(pid)
    assert finished == Finished(None, "begun\n", "no end after 0.3 s, nor when killed")
    assert has_ended(pid)
    assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("a\0b", "embedded null byte"),
        ("x" * 3_000_000, "Argument list too long"),
        ("\ud800", "'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not"),
    ],
    ids=["null", "huge", "half a character"],
)
def test_a_script_that_no_shell_can_be_given(loop: Loop, script: str, why: str) -> None:
    """Is a failure with words."""
    finished = sh(loop, script)
    assert (finished.exit_status, finished.stdout) == (None, "")
    assert finished.stderr.startswith(f"cannot run /bin/sh: {why}")


def test_two_hundred_at_once(loop: Loop) -> None:
    """Each is called back once, with its own words."""
    ended: dict[int, list[Finished]] = {number: [] for number in range(200)}
    children = Children(loop)
    for number, ends in ended.items():
        command = Command(("/bin/sh", "-c", f"echo {number}; exit {number % 7}"), 25.0)
        children.start(command, ends.append)
    run_until(loop, lambda: all(ended.values()))
    expected = {number: [Finished(number % 7, f"{number}\n", "")] for number in range(200)}
    assert ended == expected


def test_who_raises_when_a_command_ends_harms_no_other() -> None:
    """Of two commands that end in one moment both are told."""
    reports, ended = Reports(), list[Finished]()

    def fail(finished: Finished) -> None:
        raise ValueError(finished.stdout)

    with looping(reports=reports) as loop:
        children = Children(loop)
        before = set(psutil.Process().children())
        for done in (fail, ended.append):
            children.start(Command(("/bin/echo", "ended"), 25.0), done)
        for process in set(psutil.Process().children()) - before:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        run_until(loop, lambda: ended)
    name = "test_who_raises_when_a_command_ends_harms_no_other.<locals>.fail"
    assert reports.texts == [f"{name}: ValueError('ended\\n')"]
    assert ended == [Finished(0, "ended\n", "")]


def test_nothing_is_left_open(loop: Loop) -> None:
    """The descriptors of a hundred commands are given back."""
    run(loop, "/bin/true")
    before = len(os.listdir("/proc/self/fd"))
    ended: list[Finished] = []
    children = Children(loop)
    for number in range(100):
        timeout_s = 0.05 if number % 2 else 25.0
        command = Command(("/bin/sleep", "1000" if number % 2 else "0"), timeout_s)
        children.start(command, ended.append)
    run_until(loop, lambda: len(ended) == 100)
    assert len(os.listdir("/proc/self/fd")) == before
