from __future__ import annotations

import os
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent import clock
from inspect_agent.errors import ProcessGone, SourceError
from inspect_agent.sources import procfs
from inspect_agent.sources.procfs import CLK_TCK, PAGE_BYTES, RSS, Stat, StatFile, parse_stat
from tests.sources.living import FIRST_THREAD_ENDED, GROWS, ask, gone, living, python, zombie

LINE = (
    b"%d (%s) S 42 7386 2877 0 -1 4227084 7803 0 1 0 11 12 13 14 20 0 2 0 143862 99 2001 "
    b"18446744073709551615 0 0 0 0 0 0 0 6 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)
NUMBERS = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    "comm", [b"sleep", b"tmux: server", b"a) (b", b")))", b"(", b"", b"x) R 1 2 3", b"\xff\n"]
)
def test_parse_stat_survives_any_command_name(comm: bytes) -> None:
    """A command name may hold spaces, parentheses and newlines; the fields are found behind it."""
    assert parse_stat(LINE % (7, comm)) == Stat(
        comm=os.fsdecode(comm),
        state="S",
        ppid=42,
        utime=11,
        stime=12,
        cutime=13,
        cstime=14,
        starttime=143862,
        rss=2001,
    )


@given(st.binary(max_size=15), st.tuples(*[NUMBERS] * 7))
def test_parse_stat_gives_what_was_written(comm: bytes, numbers: tuple[int, ...]) -> None:
    """Whatever the kernel writes into a stat line is what parse_stat gives."""
    ppid, utime, stime, cutime, cstime, starttime, rss = numbers
    text = b"1 (%s) R %d 0 0 0 0 0 0 0 0 0 %d %d %d %d 0 0 1 0 %d 0 %d 0\n" % (
        *(comm, ppid, utime, stime, cutime, cstime),
        *(starttime, rss),
    )
    assert parse_stat(text) == Stat(os.fsdecode(comm), "R", *numbers)


@given(st.binary() | st.binary().map(lambda junk: LINE % (1, b"x") + junk))
def test_parse_stat_gives_a_value_or_an_error(text: bytes) -> None:
    """No bytes make anything but a Stat or a SourceError."""
    with suppress(SourceError):
        assert isinstance(parse_stat(text), Stat)


@pytest.mark.parametrize("text", [b"", b"1 (x) S 1 2", b"\xff" * 99, LINE.replace(b"2001", b"?")])
def test_parse_stat_says_what_it_cannot_read(text: bytes) -> None:
    """Anything but a stat line is a SourceError that shows it."""
    with pytest.raises(SourceError, match="not a line of /proc/PID/stat: "):
        parse_stat(text)


def test_a_stat_file_shows_the_moment() -> None:
    """A file that is kept open gives new figures with each read."""
    with python(GROWS) as process, closing(StatFile(process.pid)) as file:
        before = int(file.fields()[RSS])
        ask(process, str(32 << 20))
        grown_bytes = (int(file.fields()[RSS]) - before) * PAGE_BYTES

    assert 32 << 20 <= grown_bytes < 40 << 20


def test_a_stat_file_fails_when_its_process_ends() -> None:
    """A read of an ended process is ProcessGone, as a zombie and when it was waited for."""
    process = subprocess.Popen(["sleep", "1000"])
    with closing(StatFile(process.pid)) as file:
        file.fields()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProcessGone, match=f"process {process.pid} is gone"):
            file.fields()
        process.wait()
        with pytest.raises(ProcessGone, match=f"process {process.pid} is gone"):
            file.fields()


def test_opening_what_is_gone() -> None:
    """A PID without a process is ProcessGone, and so is what can be no PID."""
    for pid in (gone(), -1, 2**80):
        with pytest.raises(ProcessGone, match=f"process {pid} is gone"):
            StatFile(pid)


def test_a_process_lives_on_without_its_first_thread() -> None:
    """A process whose first thread has ended is no zombie, and its memory is told."""
    with python(FIRST_THREAD_ENDED) as process, closing(StatFile(process.pid)) as file:
        fields = file.fields()
        stat = procfs.read_stat(process.pid)

    assert int(fields[RSS]) * PAGE_BYTES > 30 << 20
    assert stat is not None
    assert stat.state in ("R", "S")
    assert stat.rss * PAGE_BYTES > 30 << 20


def test_read_stat_shows_zombies() -> None:
    """A zombie is read with its state; nothing is read of what is gone."""
    with zombie() as pid:
        stat = procfs.read_stat(pid)

    assert stat is not None
    assert (stat.state, stat.comm, stat.rss, stat.ppid) == ("Z", "true", 0, os.getpid())
    assert procfs.read_stat(gone()) is None


def test_times_and_start_are_in_clock_ticks() -> None:
    """What /proc tells of this process agrees with what the kernel tells it itself."""
    before = os.times()
    stat = procfs.read_stat(os.getpid())
    after = os.times()

    assert stat is not None
    assert before.user <= stat.utime / CLK_TCK <= after.user
    assert before.children_user <= stat.cutime / CLK_TCK <= after.children_user
    assert 0 < stat.starttime / CLK_TCK < clock.now()


def test_children_below_a_process() -> None:
    """Children and theirs are found, also those that another thread than the first started."""
    with python(TREE) as process:
        found = {child.pid for child in psutil.Process(process.pid).children(recursive=True)}

        assert len(found) == 4
        assert set(procfs.children_below(process.pid)) == found
    assert procfs.children_below(gone()) == []


def test_one_pass_knows_every_parent() -> None:
    """A pass over /proc gives each process's parent."""
    with living("sh", "-c", "echo; read x") as process:
        parents = procfs.parents()

    assert parents[process.pid] == os.getpid()
    assert parents[os.getpid()] == os.getppid()


def test_cgroup_pids_of_nested_groups(tmp_path: Path) -> None:
    """The processes of a control group are its own and those of the groups in it."""
    for folder, text in {"": "12\n0\n13\n", "a": "", "a/b": "14\n", "c": "15\n"}.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cgroup.procs").write_text(text)

    assert sorted(procfs.cgroup_pids(str(tmp_path))) == [12, 13, 14, 15]
    assert procfs.cgroup_pids(str(tmp_path / "nowhere")) == []


TREE = """
import subprocess, threading
def start():
    shell = ["sh", "-c", "sleep 1000 & echo; wait"]
    subprocess.Popen(shell, stdout=subprocess.PIPE).stdout.readline()
def start_and_stay():
    start()
    started.set()
    threading.Event().wait()
started = threading.Event()
start()
threading.Thread(target=start_and_stay, daemon=True).start()
started.wait()
print("ready", flush=True)
input()
"""
