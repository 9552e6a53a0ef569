"""Defects of Inspeqtor 2.0 in what it sees of the machine, its processes and services."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from inspect_agent.managers.pidfile import Pidfile
from inspect_agent.managers.systemd import Systemd
from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.observation import Finished, Observation
from inspect_agent.model.target import Machine
from inspect_agent.ports import Question
from inspect_agent.sources.disk import Disk
from inspect_agent.sources.mounts import Mount
from inspect_agent.sources.process import ProcessSource, machine_processes
from inspect_agent.sources.swap import Swap
from tests.integration.systemd_machine import SystemdMachine
from tests.managers.builders import check
from tests.sources.living import identified, python, zombie

# its first field of /proc/PID/stat looks like several
ODD_NAME = """
open("/proc/self/comm", "w").write("my app) S 1 2 3")
print("ready", flush=True)
input()
"""
# a child that has worked, and is neither at an end nor waited for
WORKING_CHILD = """
import os, time
ready, done = os.pipe()
if os.fork() == 0:
    while time.process_time() < 0.3:
        sum(range(999))
    os.write(done, b"x")
    time.sleep(1000)
os.read(ready, 1)
print("ready", flush=True)
input()
"""


class Mounted:
    """A machine with nothing but a root."""

    def __init__(self, fstype: str) -> None:
        self._root = Mount("/", fstype, fstype, "0:41")

    def current(self) -> Mapping[str, Mount]:
        """The mounts by their points."""
        return {"/": self._root}


def read_process(pid: int, *names: str) -> list[object]:
    """These metrics of a process, in bytes and seconds."""
    metrics = [MetricId(*name.split(":")) for name in names]
    process = identified(machine_processes(), pid)
    with closing(ProcessSource().open(process, metrics)) as reader:
        return list(reader.read())


def test_no_swap_is_100_percent_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without swap was full of it in Inspeqtor; here it has no value, and says why."""
    none = SimpleNamespace(total=0, used=0)
    monkeypatch.setattr(psutil, "swap_memory", lambda: none)
    assert Swap().open(Machine(), [MetricId("swap")]).read() == [NoData("no swap")]


def test_an_overlay_or_nfs_root_has_no_disk_metric() -> None:
    """Inspeqtor knew devices alone, and a rule on `/` read 0; here any root is read like a disk."""
    root = MetricId("disk", "/")
    for fstype in ("overlay", "nfs4"):
        disk = Disk(Mounted(fstype))
        assert disk.names(Machine()) == [root]
        (used,) = disk.open(Machine(), [root]).read()
        assert used == pytest.approx(psutil.disk_usage("/").percent, abs=0.5)


def test_a_process_name_with_a_space_shifts_every_field() -> None:
    """Inspeqtor split the line at spaces; here the fields are counted from the name's end."""
    with python(ODD_NAME) as process:
        rss, user = read_process(process.pid, "memory:rss", "cpu:user")
        seen = psutil.Process(process.pid)
        assert seen.name() == "my app) S 1 2 3"
        assert rss == pytest.approx(seen.memory_info().rss, rel=0.1)
        assert user == pytest.approx(seen.cpu_times().user, abs=0.1)


def test_cpu_totals_count_reaped_children_only() -> None:
    """What living children used was missing in Inspeqtor's `cpu:total_*`; here it counts."""
    with python(WORKING_CHILD) as process:
        own, total = read_process(process.pid, "cpu:user", "cpu:total_user")
        (child,) = psutil.Process(process.pid).children()
        used_s = child.cpu_times().user
    assert isinstance(own, float)
    assert used_s > 0.1
    assert total == pytest.approx(own + used_s, abs=0.02)


def test_an_unreaped_zombie_is_up(tmp_path: Path) -> None:
    """It was in Inspeqtor; here a process that has ended is gone, waited for or not."""
    path = tmp_path / "app.pid"
    with zombie() as pid:
        path.write_text(f"{pid}\n")
        seen = Pidfile().look([check("app", pidfile=str(path))])["app"]
    assert seen == Observation("failed", reason=f"process {pid} is gone")


@pytest.mark.systemd
def test_oneshot_and_not_enabled_units_are_not_found(machine: SystemdMachine) -> None:
    """Inspeqtor did not know them; here whatever systemd has is a service."""
    once = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
    by_hand = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=basic.target\n"
    for name, text in (("once", once), ("by-hand", by_hand)):
        machine.write_unit(f"{name}.service", text)
        machine.systemctl("start", name)
    assert machine.run(["systemctl", "is-enabled", "by-hand"]).stdout == "disabled\n"

    question = Systemd().look([check("once"), check("by-hand")])
    assert isinstance(question, Question)
    ran = machine.run(question.command.argv)
    seen = question.parse(Finished(ran.returncode, ran.stdout, ran.stderr))

    assert {name: (one.status, one.reason) for name, one in seen.items()} == {
        "once": ("up", "active (exited)"),
        "by-hand": ("up", "active (running)"),
    }
