"""inspectctl: what it asks, what it prints, and how it ends."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspect_agent import __version__
from inspect_agent.cli import client, ctl
from tests.cli.fakes import answering
from tests.export.test_table import SAMPLE, status

INSPECTCTL = str(Path(sys.executable).with_name("inspectctl"))
Captured = pytest.CaptureFixture[str]
AS_NOBODY = """
import gettext, locale, os, pwd, shutil, sys  # what argparse imports late
from inspect_agent.cli import ctl
os.setgroups([])
os.setuid(pwd.getpwnam("nobody").pw_uid)
sys.exit(ctl.main())
"""


def test_status_is_printed(tmp_path: Path, capsys: Captured) -> None:
    """In Inspeqtor's layout, without colour where nobody looks; exit 0."""
    with answering(tmp_path, {"ok": status()}) as agent:
        assert ctl.main(["-s", agent.path, "status"]) == 0
        assert agent.requests == [{"command": "status", "args": {"words": []}}]
    assert capsys.readouterr() == (SAMPLE, "")


@pytest.mark.parametrize(
    ("line", "command", "words"),
    [
        ("start deploy", "start deploy", []),
        ("start deploy nginx for 10m", "start deploy", ["nginx", "for", "10m"]),
        ("finish deploy nginx", "finish deploy", ["nginx"]),
        ("stop deploy", "stop deploy", []),
        ("unmonitor nginx", "unmonitor", ["nginx"]),
        ("show nginx memory:rss", "show", ["nginx", "memory:rss"]),
        ("reload", "reload", []),
        ("start", "start", []),
        ("dance now", "dance", ["now"]),
        ("show -v -h", "show", ["-v", "-h"]),
    ],
)
def test_words_are_asked_as_they_are_typed(
    tmp_path: Path, capsys: Captured, line: str, command: str, words: list[str]
) -> None:
    """Which commands there are, the agent knows; what it refuses is exit 1, on standard error."""
    with answering(tmp_path, {"error": "not now\nnor ever"}) as agent:
        assert ctl.main(["-s", agent.path, *line.split()]) == 1
        assert agent.requests == [{"command": command, "args": {"words": words}}]
    assert capsys.readouterr() == ("", "not now\nnor ever\n")


def test_wrong_usage(capsys: Captured) -> None:
    """Exit 2, with the way out."""
    said = "inspectctl: which command? `inspectctl -h` lists them\n"
    assert ctl.main([]) == 2
    out, err = capsys.readouterr()
    assert (out, err[-len(said) :]) == ("", said)


def test_a_word_too_many_for_check(capsys: Captured) -> None:
    """Exit 2, with the usage of that command."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(["check", "a", "b"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: inspectctl check ")


@pytest.mark.parametrize("arguments", [["-x"], ["-s"], ["--sock", "x", "status"]])
def test_an_option_that_there_is_not(capsys: Captured, arguments: list[str]) -> None:
    """Exit 2."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: inspectctl [-s SOCKET] COMMAND …\n")


def test_its_own_version_needs_no_agent(capsys: Captured) -> None:
    """Exit 0."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(["-v"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"inspectctl {__version__}\n"


def test_its_help_lists_the_commands(capsys: Captured) -> None:
    """Exit 0."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(["-h"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for command in ("status", "show TARGET METRIC", "start deploy", "reload", "check [DIR]"):
        assert f"\n  {command}" in out


def no_agent(path: str, reason: str) -> str:
    """What is said where no agent answers."""
    return (
        f"no agent answers at {path} ({reason}).\n"
        "Is it running? `systemctl status inspect-agent` tells; start it, or name its socket"
        " with -s or INSPECT_SOCK.\n"
    )


def test_no_agent_at_the_socket(tmp_path: Path, capsys: Captured) -> None:
    """Exit 3 with what to do, whether it never ran, has died, or the path is impossible."""
    with answering(tmp_path, b"") as agent:
        dead = agent.path
    plain = tmp_path / "plain"
    plain.touch()
    for path, reason in (
        (str(tmp_path / "never"), "No such file or directory"),
        (dead, "Connection refused"),
        (str(plain), "Connection refused"),
        ("/" + "x" * 200, "AF_UNIX path too long"),
    ):
        assert ctl.main(["-s", path, "status"]) == 3
        assert capsys.readouterr() == ("", no_agent(path, reason))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the agent closed without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n", "what answers there is no inspect-agent"),
        (b"5\n", "what answers there is no inspect-agent"),
        (b"[]\n", "what answers there is no inspect-agent"),
        (b"{}\n", "what answers there is no inspect-agent"),
        (b'{"ok": ', "what answers there is no inspect-agent"),
        (b"\xff\xfe", "what answers there is no inspect-agent"),
    ],
)
def test_something_else_at_the_socket(
    tmp_path: Path, capsys: Captured, answer: bytes, reason: str
) -> None:
    """Exit 3."""
    with answering(tmp_path, answer) as agent:
        assert ctl.main(["-s", agent.path, "status"]) == 3
    assert capsys.readouterr() == ("", f"{agent.path}: {reason}\n")


def test_an_agent_that_does_not_answer(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3, after a while."""
    monkeypatch.setattr(client, "ANSWER_S", 0.05)
    path = str(tmp_path / "mute.sock")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(path)
        mute.listen()
        assert ctl.main(["-s", path, "status"]) == 3
    assert capsys.readouterr() == ("", f"{path}: the agent did not answer within 0 s\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_an_agent_that_one_may_not_ask(tmp_path: Path) -> None:
    """Exit 3, with the way in."""
    with answering(tmp_path, {"ok": "0.1.0"}) as agent:
        os.chmod(agent.path, 0o600)
        for folder in (tmp_path, *tmp_path.parents):
            folder.chmod(folder.stat().st_mode | 0o111)
        argv = [sys.executable, "-c", AS_NOBODY, "-s", agent.path, "version"]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    said = f"{agent.path}: you may not ask this agent; use sudo, or join its socket_group\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", said)


def test_the_environment_names_the_socket(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours before Inspeqtor's, and -s before both."""
    with answering(tmp_path, {"ok": "0.1.0"}) as agent:
        monkeypatch.setenv("INSPEQTOR_SOCK", agent.path)
        assert ctl.main(["version"]) == 0
        monkeypatch.setenv("INSPEQTOR_SOCK", "/no/such")
        monkeypatch.setenv("INSPECT_SOCK", agent.path)
        assert ctl.main(["version"]) == 0
        monkeypatch.setenv("INSPECT_SOCK", "/no/such")
        assert ctl.main(["-s", agent.path, "version"]) == 0
        assert ctl.main(["version"]) == 3
    assert capsys.readouterr().out == "0.1.0\n" * 3


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """inspectctl as a process of its own."""
    return subprocess.run(
        [INSPECTCTL, *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_a_reader_that_has_read_enough(tmp_path: Path) -> None:
    """`inspectctl export | head -1` says nothing on standard error, however much there was."""
    answer: dict[str, Any] = {"ok": {"lines": ["x" * 1000] * 1000}}
    with answering(tmp_path, answer) as agent:
        for command in ("export", "version"):
            ended = subprocess.run(
                ["/bin/bash", "-c", f"'{INSPECTCTL}' -s '{agent.path}' {command} | true"],
                capture_output=True,
                check=False,
            )
            assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
        out, into = os.pipe()
        os.close(out)
        argv = [INSPECTCTL, "-s", agent.path, "export"]
        alone = subprocess.run(argv, stdout=into, stderr=subprocess.PIPE, check=False)
        os.close(into)
    assert (alone.returncode, alone.stderr) == (128 + signal.SIGPIPE, b"")


def test_a_reader_of_check_that_has_read_enough(tmp_path: Path) -> None:
    """The same where no agent is asked."""
    out, into = os.pipe()
    os.close(out)
    (tmp_path / "services.d").mkdir()
    (tmp_path / "inspect.conf").touch(0o600)
    argv = [INSPECTCTL, "check", str(tmp_path)]
    ended = subprocess.run(argv, stdout=into, stderr=subprocess.PIPE, check=False)
    os.close(into)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")


def test_an_output_that_takes_nothing(tmp_path: Path) -> None:
    """A full one is told, and exit 1; a closed one is as good as none. Neither is a traceback."""
    (tmp_path / "inspect.conf").touch(0o600)
    argv = [INSPECTCTL, "check", str(tmp_path)]
    with open("/dev/full", "wb") as full:
        told = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, check=False)
        mute = subprocess.run(argv, stdout=full, stderr=full, check=False)
    closed = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *argv], stderr=subprocess.PIPE, check=False
    )
    words = b"standard output: No space left on device\n"
    assert (told.returncode, told.stderr, mute.returncode) == (1, words, 1)
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_a_person_who_has_waited_enough(tmp_path: Path) -> None:
    """Ctrl-C ends it without a traceback."""
    path = str(tmp_path / "mute.sock")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(path)
        mute.listen()
        waiting = subprocess.Popen(
            [INSPECTCTL, "-s", path, "reload"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        connection, _ = mute.accept()
        with connection:
            assert connection.recv(999).endswith(b"\n")
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out, err) == (128 + signal.SIGINT, b"", b"")


def test_a_terminal_without_these_characters(tmp_path: Path) -> None:
    """What it cannot show becomes a question mark."""
    with answering(tmp_path, {"ok": "grüße ▁▂▃"}) as agent:
        ended = run("-s", agent.path, "version", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"gr??e ???\n", b"")


def on_a_terminal(path: str, **environment: str) -> bytes:
    """What `inspectctl status` prints on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [INSPECTCTL, "-s", path, "status"],
        stdout=theirs,
        env={**os.environ, "NO_COLOR": "", **environment},
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says EIO at the end of a terminal: pty(7)
            break
        text += part
    os.close(ours)
    assert process.wait() == 0
    return text.replace(b"\r\n", b"\n")


def test_colour_is_for_terminals_that_want_it(tmp_path: Path) -> None:
    """NO_COLOR counts when it is not empty: https://no-color.org."""
    with answering(tmp_path, {"ok": status()}) as agent:
        assert b"\x1b[32m[Up/22745]\x1b[0m" in on_a_terminal(agent.path)
        assert on_a_terminal(agent.path, NO_COLOR="1") == SAMPLE.encode()
