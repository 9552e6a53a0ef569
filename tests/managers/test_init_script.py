from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.init_script import Script, Scripts, is_name, parse
from inspect_agent.model.observation import Observation
from tests.integration.components import need

REDIS = """#! /bin/sh
DAEMON_ARGS=/etc/redis/redis.conf
NAME=redis-server

RUNDIR=/run/redis
PIDFILE=$RUNDIR/redis-server.pid

    if start-stop-daemon --start --quiet --pidfile $PIDFILE --exec $DAEMON -- $DAEMON_ARGS
  status)
"""
HTTPD = """#!/bin/bash
# chkconfig: - 85 15
# processname: httpd
# pidfile: /var/run/httpd/httpd.pid
prog=httpd
pidfile=${PIDFILE-/var/run/httpd/other.pid}
lockfile=${LOCKFILE:-/var/lock/subsys/httpd}
"""
OPENRC = """#!/sbin/openrc-run
command=/usr/bin/app
pidfile="/run/${RC_SVCNAME}/$SVCNAME.pid"
"""


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (REDIS, ["/run/redis/redis-server.pid"]),
        (HTTPD, ["/var/run/httpd/httpd.pid", "/var/run/httpd/other.pid"]),
        (OPENRC, ["/run/web/web.pid"]),
        ("PIDFILE=/run/a.pid; export PIDFILE", ["/run/a.pid"]),
        ("export PIDFILE=/run/a.pid", ["/run/a.pid"]),
        ("  local pid_file='/run/a.pid'", ["/run/a.pid"]),
        ("SSHD_PIDFILE=/run/sshd.pid # there", ["/run/sshd.pid"]),
        ("NAME=app\nPIDFILE=/run/$NAME/${NAME}.pid", ["/run/app/app.pid"]),
        ("NAME=a\nNAME=b\nPIDFILE=/run/$NAME.pid", ["/run/b.pid"]),
        ("start-stop-daemon --start --pidfile=/run/a.pid", ["/run/a.pid"]),
        ('start-stop-daemon --start --pidfile "/run/a.pid"', ["/run/a.pid"]),
        ("app --pidfile /run/a.pid; b --pidfile /run/b.pid", ["/run/a.pid", "/run/b.pid"]),
    ],
)
def test_what_a_script_names(text: str, files: list[str]) -> None:
    """PID files are found by header, assignment and option, with what was assigned before."""
    script = parse("web", "/etc/init.d/web", text)
    assert (list(script.pid_files), script.guessed) == (files, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# PIDFILE=/run/a.pid",
        "PIDFILE=",
        "PIDFILE=run/a.pid",
        "PIDFILE=/run/",
        "PIDFILE=/run/../etc/shadow",
        "PIDFILE=/run/$NAME.pid",
        "PIDFILE='/run/$RC_SVCNAME.pid'",
        "PIDFILE=$(cat /etc/app.conf)",
        "PIDFILE=`which app`",
        "PIDFILE=/run/${DAEMON##*/}.pid",
        "NAME=$(basename $0)\nPIDFILE=/run/$NAME.pid",
        'PIDFILE=/run/"a".pid',
        'PIDFILE="/run/a b.pid"',
        'PIDFILE="/run/a\n.pid"',
        "PIDFILE=/run/$1.pid",
    ],
)
def test_what_only_a_shell_understands(text: str) -> None:
    """What is no plain path is passed over, and the usual places are looked at."""
    script = parse("web", "/etc/init.d/web", text)
    assert script.pid_files == ("/run/web.pid", "/run/web/web.pid")
    assert script.guessed


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        (REDIS, True),
        (HTTPD, False),
        ("#!/usr/bin/env /lib/init/init-d-script\nDAEMON=/usr/sbin/cron", True),
        ("    . /lib/init/init-d-script", True),
        ("status_of_proc", True),
        ("# status: none", False),
        ("exit_status=1", False),
    ],
)
def test_whether_it_has_a_status_action(text: str, tells: bool) -> None:
    """A script is thought to have the action when it speaks of it outside of comments."""
    assert parse("web", "/etc/init.d/web", text).tells_status is tells


@pytest.mark.parametrize(
    ("line", "is_openrcs"),
    [
        ("#!/sbin/openrc-run", True),
        ("#!/usr/bin/env openrc-run", True),
        ("#!/sbin/runscript", True),
        ("#!/bin/sh", False),
        ("#!/bin/sh\n#!/sbin/openrc-run", False),
    ],
)
def test_whose_script_it_is(line: str, is_openrcs: bool) -> None:
    """The first line tells a script of OpenRC from the others."""
    assert parse("web", "/etc/init.d/web", line).of_openrc is is_openrcs


@pytest.mark.parametrize("name", ["web", "net.eth0", "php-fpm8.2", "openvpn@work", "_x", "hw.sh"])
def test_names(name: str) -> None:
    """What distributions call their scripts."""
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "-x", "--help", "a b", "../x", "a/b", ".hidden", "..", "x;y", "$(x)", 'a"b', "a\nb"),
        *("*", "ä", "x" * 4096),
    ],
)
def test_names_of_no_script(name: str) -> None:
    """What could be read as a path, a pattern, an option or several words is no script's name."""
    reason = f"{name[:80]!r} cannot be the name of an init script"
    assert Scripts(("/etc/init.d",), of_openrc=False).find(name) == absent(reason)


def absent(reason: str) -> Observation:
    """What has no script."""
    return Observation("absent", reason=reason)


def write(folder: Path, name: str, text: str = "#!/bin/sh\n", mode: int = 0o755) -> Path:
    """A script in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_first_folder_that_has_one(tmp_path: Path) -> None:
    """What is not executable, or no plain file, is passed over for the next folder's."""
    write(tmp_path / "a", "web", mode=0o644)
    (tmp_path / "a/folder").mkdir()
    web = write(tmp_path / "b", "web", "PIDFILE=/run/b.pid")
    write(tmp_path / "b", "other", "#!/sbin/openrc-run")
    pid_file = f"{tmp_path}/run/b.pid"
    others, openrcs = (
        Scripts(("/a", "/b", "/c"), str(tmp_path), of_openrc=of_openrc)
        for of_openrc in (False, True)
    )

    assert others.find("web") == Script(str(web), (pid_file,), False, False, False)
    assert others.find("folder") == absent("there is no executable folder in /a, /b, /c")
    assert others.find("other") == absent(f"{tmp_path}/b/other is a script of OpenRC")
    assert openrcs.find("web") == absent(f"{tmp_path}/b/web is no script of openrc-run")
    assert (others.names(), openrcs.names()) == (["web"], ["other"])


def test_a_script_that_changes(tmp_path: Path) -> None:
    """It is read anew when it is another file."""
    scripts = Scripts(("",), str(tmp_path), of_openrc=False)
    files: list[str] = []
    for text in ("PIDFILE=/run/a.pid", "PIDFILE=/run/longer.pid"):
        write(tmp_path, "web", text)
        script = scripts.find("web")
        assert isinstance(script, Script)
        files += script.pid_files

    assert files == [f"{tmp_path}/run/a.pid", f"{tmp_path}/run/longer.pid"]


def test_only_the_beginning_is_read(tmp_path: Path) -> None:
    """What a script names beyond 64 KB is not found."""
    write(tmp_path, "web", "#" * (64 << 10) + "\nPIDFILE=/run/a.pid\n")
    script = Scripts(("",), str(tmp_path), of_openrc=False).find("web")
    assert isinstance(script, Script)
    assert script.guessed


def test_scripts_that_others_wrote(tmp_path: Path) -> None:
    """Root runs no script that is not its own, or that others may write."""
    need("root")
    scripts = Scripts(("",), str(tmp_path), of_openrc=False)
    said = {}
    for name, mode, user, group in (
        ("users", 0o755, 65534, 0),
        ("everybodys", 0o757, 0, 0),
        ("groups", 0o775, 0, 65534),
    ):
        os.chown(write(tmp_path, name, mode=mode), user, group)
        with pytest.raises(ManagerError) as raised:
            scripts.find(name)
        said[name] = str(raised.value)
    write(tmp_path, "roots", mode=0o775)

    assert said == {
        "users": f"{tmp_path}/users belongs to user 65534, so it is not run as root",
        "everybodys": f"{tmp_path}/everybodys may be written by others, so it is not run as root",
        "groups": f"{tmp_path}/groups may be written by others, so it is not run as root",
    }
    assert scripts.names() == ["roots"]


@given(st.text())
def test_no_text_is_too_much(text: str) -> None:
    """Whatever a script holds, only plain absolute paths come out."""
    for file in parse("web", "/etc/init.d/web", f"PIDFILE={text}\n--pidfile {text}").pid_files:
        assert file.startswith("/")
        assert not set(file) & set(" \t\n\"'$`;|&*?")
        assert ".." not in file.split("/")
