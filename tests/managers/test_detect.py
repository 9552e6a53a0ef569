"""Who runs here: asked of the running system, so that folders and tools alone say nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from inspect_agent import registry
from inspect_agent.managers import detect


def make(root: Path, file: str, text: str = "") -> Path:
    """A file below a root."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_manager_of_the_registry_is_detected() -> None:
    """In the same order; each says no on an empty machine, but for those that need nothing."""
    assert list(detect.RUNS) == list(registry.built_in("managers"))


@pytest.mark.parametrize("name", sorted(detect.RUNS.keys() - {"self", "pidfile"}))
def test_nothing_runs_on_an_empty_machine(tmp_path: Path, name: str) -> None:
    """A container has no init at all."""
    assert not detect.RUNS[name](str(tmp_path))


@pytest.mark.parametrize(
    ("comm", "tool", "found"),
    [
        ("systemd\n", "sbin/initctl", ["systemd"]),
        ("init\n", "sbin/initctl", ["upstart"]),
        ("init\n", "etc/init/x.conf", []),
        ("systemd-nspawn\n", "etc/init/x.conf", []),
        ("", "sbin/initctl", []),
    ],
)
def test_pid_1_says_what_it_is(tmp_path: Path, comm: str, tool: str, found: list[str]) -> None:
    """Configuration files and tools of others may lie about."""
    make(tmp_path, "proc/1/comm", comm)
    make(tmp_path, tool)
    assert [name for name in ("systemd", "upstart") if detect.RUNS[name](str(tmp_path))] == found


@pytest.mark.parametrize(
    ("pipe", "runs"),
    [
        ("etc/service/web/supervise/ok", detect.runit),
        ("run/service/.s6-svscan/control", detect.s6),
    ],
)
def test_a_supervisor_holds_its_pipe_open(
    tmp_path: Path, pipe: str, runs: Callable[[str], bool]
) -> None:
    """The folder of one that has ended is still there."""
    path = tmp_path / pipe
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert not runs(str(tmp_path))
    held = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert runs(str(tmp_path))
    finally:
        os.close(held)
    assert not runs(str(tmp_path))


CONF = "[supervisord]\nfile=/no\n[unix_http_server]\nfile = /run/s.sock ; the socket\n"


@pytest.mark.parametrize(
    ("conf", "listening", "found"),
    [
        (CONF, True, True),
        (CONF, False, False),
        (CONF.replace(" ;", "\t#"), True, True),
        (CONF.replace("/run", "%(here)s"), False, True),
        ("[inet_http_server]\nport=127.0.0.1:9001\n", False, True),
        ("", False, True),
    ],
)
def test_supervisord_listens(tmp_path: Path, conf: str, listening: bool, found: bool) -> None:
    """A package that is installed and not used says nothing; where only asking tells, it is."""
    make(tmp_path, "etc/supervisord.conf", conf)
    (tmp_path / "run").mkdir()
    assert detect.supervisord(str(tmp_path)) is (found and "run" not in conf)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "run/s.sock"))
        if listening:
            server.listen()
        assert detect.supervisord(str(tmp_path)) is found
