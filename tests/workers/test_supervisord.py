"""The worker that asks supervisord, against what may stand in its place."""

from __future__ import annotations

import base64
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, dumps, loads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.supervisord_process import Process, parse
from inspect_agent.workers import supervisord
from inspect_agent.workers.supervisord import Service, settled
from inspect_agent.workers.supervisord_conf import Server
from inspect_agent.workers.supervisord_rpc import MOST_BYTES, Rpc, check_near, value
from tests.workers.supervisord_double import (
    Answer,
    endless,
    http,
    over_http,
    over_socket,
    says,
    silent,
    xml,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")

NOBODY = pwd.getpwnam("nobody").pw_uid
UP = Process("web", "web", "RUNNING", 7)
NO_HTTP = "it does not speak HTTP"
NO_XML = "it does not speak XML-RPC"
GARBAGE = b"\x00\xff\n" * 99
WEB = {"group": "web", "name": "web", "statename": "RUNNING", "pid": 7, "spawnerr": ""}


# what goes over the wire


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (silent, "no answer within 0.1 s"),
        (says(b""), "it hung up without an answer"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Le"), NO_XML),
        (says(GARBAGE), NO_HTTP),
        (says(b"x" * (1 << 20)), NO_HTTP),
        (says(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000), NO_HTTP),
        (says(http("<xml>", length=10)), "it hung up amid its answer"),
        (
            says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<x"),
            "it hung up amid its answer",
        ),
        (says(http("")), NO_XML),
        (says(http("<methodResponse><params>")), NO_XML),
        (says(http("</array>")), NO_XML),
        (says(http(dumps((), methodresponse=False))), NO_XML),
        (says(http("", "404 Not Found")), "it answered HTTP 404 Not Found"),
        (says(http("no", "500 Oh")), "it answered HTTP 500 Oh"),
        (endless, f"it answered more than {MOST_BYTES >> 20} MB"),
        (says(http(dumps(Fault(6, "SHUTDOWN_STATE")))), "it is shutting down, or restarting"),
    ],
)
def test_answers_that_are_none(tmp_path: Path, answer: Answer, words: str) -> None:
    """Whatever answers, or does not: the reason is in words, and comes in time."""
    path = tmp_path / "s.sock"
    with over_socket(path, answer), pytest.raises(ManagerError) as error:
        Rpc(Server(str(path)), 0.1).call("getAllProcessInfo")

    assert str(error.value) == f"unix://{path}: {words}"


def test_a_socket_without_a_server(tmp_path: Path) -> None:
    """A socket file that a dead supervisord left, and none at all."""
    path = tmp_path / "s.sock"
    rpc = Rpc(Server(str(path)), 1.0)
    with pytest.raises(ManagerError) as missing:
        rpc.call("getAllProcessInfo")
    with over_socket(path, silent):
        pass
    with pytest.raises(ManagerError) as left:
        rpc.call("getAllProcessInfo")

    assert str(missing.value) == (
        f"unix://{path}: there is no such socket: it does not run, or listens elsewhere"
    )
    assert str(left.value) == f"unix://{path}: nobody listens there: it does not run"


def test_a_port_without_a_server() -> None:
    """A port that nobody listens on."""
    with over_http(silent) as (_, port):
        pass
    with pytest.raises(ManagerError) as error:
        Rpc(Server("", "127.0.0.1", port), 1.0).call("getAllProcessInfo")

    assert str(error.value) == f"http://127.0.0.1:{port}: nobody listens there: it does not run"


def test_a_path_that_no_socket_can_have() -> None:
    """Is told in Python's words."""
    with pytest.raises(ManagerError) as error:
        Rpc(Server("/x" * 100), 1.0).call("getAllProcessInfo")
    assert str(error.value) == f"unix://{'/x' * 100}: AF_UNIX path too long"


def test_a_host_that_cannot_be() -> None:
    """Is told before anybody is asked about it."""
    with pytest.raises(ManagerError) as error:
        Rpc(Server("", "a..b", 9001), 1.0).call("getAllProcessInfo")
    assert str(error.value) == "http://a..b:9001: no host has such a name"


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: http_body(text)))
def test_bodies_of_any_kind(body: bytes) -> None:
    """Are values, faults, or a ManagerError."""
    with suppress(ManagerError, Fault):
        value(Server("/s.sock"), body)


def http_body(text: str) -> bytes:
    """Some text in the place of a value."""
    return f"<methodResponse><params><param>{text}</param></params></methodResponse>".encode()


@pytest.mark.parametrize("server", [Server(), Server(username="ann", password="wörd:x")])
def test_the_login(server: Server) -> None:
    """Is sent where one is wanted, and only there; the answer is read."""
    with over_http(says(xml([WEB]))) as (double, port):
        server = server._replace(host="localhost", port=port)
        answer = Rpc(server, 5.0).call("signalProcess", "web:web", "HUP")
        head, _, body = double.requests.get().partition(b"<?xml")

    login = base64.b64encode("ann:wörd:x".encode())
    assert answer == [WEB]
    assert (b"Authorization: Basic " + login in head) is (server.username == "ann")
    assert (b"uthorization" in head) is (server.username == "ann")
    assert loads(b"<?xml" + body) == (("web:web", "HUP"), "supervisor.signalProcess")


@pytest.mark.parametrize(
    ("username", "words"),
    [
        (None, "it wants username and password, and /x.conf has none in [supervisorctl]"),
        ("ann", "it refuses username and password of /x.conf"),
    ],
)
def test_a_login_that_is_refused(username: str | None, words: str) -> None:
    """Says what is missing, or wrong, and where."""
    with over_http(says(http("", "401 Unauthorized"))) as (_, port):
        server = Server("", "127.0.0.1", port, username, "word", conf="/x.conf")
        with pytest.raises(ManagerError) as error:
            Rpc(server, 5.0).call("getAllProcessInfo")

    assert str(error.value) == f"http://127.0.0.1:{port}: {words}"


class Ends(socket.socket):
    """A connection between these two addresses."""

    def __init__(self, there: str, here: str) -> None:
        super().__init__()
        self.getpeername = lambda: (there, 9001)  # type: ignore[method-assign]
        self.getsockname = lambda: (here, 40000)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("there", "here", "is_near"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.1.1", "127.0.0.1", True),
        ("10.0.0.5", "10.0.0.5", True),
        ("::1", "::1", True),
        ("10.0.0.6", "10.0.0.5", False),
    ],
)
def test_another_machine(there: str, here: str, is_near: bool) -> None:
    """Is not asked: its PIDs are not those of this one."""
    with Ends(there, here) as connected:
        if is_near:
            check_near(connected, Server())
            return
        with pytest.raises(ManagerError) as error:
            check_near(connected, Server("", there, 9001))
    assert str(error.value) == f"http://{there}:9001: it is on another machine"


@needs_root
@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("", "user {} listens there, and /x.conf has no such user in [supervisord]"),
        ("daemon", "user {} listens there, and /x.conf has no such user in [supervisord]"),
        ("no such user", "user {} listens there, and /x.conf has no such user in [supervisord]"),
        ("nobody", "no answer within 0.1 s"),
        (str(NOBODY), "no answer within 0.1 s"),
    ],
)
def test_a_stranger_at_the_socket(tmp_path: Path, user: str, words: str) -> None:
    """Who is neither root nor the user of the configuration is sent nothing."""
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        os.seteuid(NOBODY)
        listening.listen()
        os.seteuid(0)
        with pytest.raises(ManagerError) as error:
            Rpc(Server(str(path), user=user, conf="/x.conf"), 0.1).call("getAllProcessInfo")

    assert str(error.value) == f"unix://{path}: {words.format(NOBODY)}"


# what it has supervisord do


class Scripted(Rpc):
    """The process `web`, in one state after the other, the last one for ever; `calls` of it."""

    def __init__(self, *states: str, fault: int | None = None) -> None:
        self._states, self._fault = list(states), fault
        self.calls: list[tuple[str, ...]] = []

    def call(self, method: str, *arguments: str) -> Any:
        """What is done in this state."""
        if method == "getAllProcessInfo":
            state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
            return [{**WEB, "statename": state, "spawnerr": "Exited too quickly"}]
        self.calls.append((method, *arguments))
        if self._fault is not None:
            raise Fault(self._fault, f"FAULT: {arguments[0]}")
        return True


START = ("startProcess", "web:web")
STOP = ("stopProcess", "web:web")


@pytest.mark.parametrize(
    ("verb", "states", "calls"),
    [
        (supervisord.start, ["STOPPED"], [START]),
        (supervisord.start, ["BACKOFF"], [STOP, START]),
        (supervisord.start, ["STOPPING", "STOPPING", "STOPPED"], [STOP, START]),
        (supervisord.stop, ["RUNNING"], [STOP]),
        (supervisord.stop, ["STOPPING", "STOPPING", "STOPPED"], [STOP]),
        (supervisord.restart, ["RUNNING"], [STOP, START]),
        (supervisord.restart, ["STOPPED"], [STOP, START]),
        (supervisord.reload, ["RUNNING"], [("signalProcess", "web:web", "HUP")]),
    ],
)
def test_verbs(
    verb: Callable[[Service], None], states: Sequence[str], calls: Sequence[tuple[str, ...]]
) -> None:
    """What is being stopped is waited for; what waits to be restarted is started anew."""
    rpc = Scripted(*states)
    verb(Service("web", rpc, rpc))

    assert rpc.calls == calls


@pytest.mark.parametrize(("verb", "fault"), [(supervisord.start, 60), (supervisord.stop, 70)])
def test_nothing_left_to_do(verb: Callable[[Service], None], fault: int) -> None:
    """To start what has just started, or to stop what has just ended, succeeds."""
    rpc = Scripted("RUNNING", fault=fault)
    verb(Service("web", rpc, rpc))

    assert len(rpc.calls) == 1


@pytest.mark.parametrize(
    ("verb", "fault"), [(supervisord.start, 50), (supervisord.stop, 30), (supervisord.reload, 70)]
)
def test_a_refusal(verb: Callable[[Service], None], fault: int) -> None:
    """Is told in supervisord's words, with where the process is then."""
    rpc = Scripted("STOPPED", fault=fault)
    with pytest.raises(ManagerError) as error:
        verb(Service("web", rpc, rpc))

    assert str(error.value) == "FAULT: web:web; it is STOPPED: Exited too quickly"


def test_nobody_of_that_name() -> None:
    """Nothing is asked for where no process has the name."""
    rpc = Scripted("RUNNING")
    with pytest.raises(ManagerError) as error:
        supervisord.restart(Service("nope", rpc, rpc))

    assert (str(error.value), rpc.calls) == ("it knows no nope", [])


# what is looked at


def ended(name: str, spawnerr: str = "", exitstatus: int = 0) -> Process:
    """A process that has EXITED."""
    return Process(name, name, "EXITED", 0, spawnerr, exitstatus)


def looked(*answers: Sequence[Process]) -> list[Process]:
    """What a look comes to that is answered so, one after the other, and no more often."""
    waiting = list(answers)
    found = settled(lambda: list(waiting.pop(0)))
    assert waiting == []
    return found


def test_one_answer_is_enough() -> None:
    """Where nothing has EXITED it is asked once."""
    assert looked([UP]) == [UP]


def test_an_end_is_asked_for_again() -> None:
    """What is EXITED still has ended for good; what is STARTING now shows how it ended."""
    gone, crashed = ended("gone"), ended("crashed", "Bad exit code 3", 3)
    again = Process("crashed", "crashed", "STARTING", 8)
    done = ended("done", "", 2)

    assert looked([UP, gone, crashed], [UP, gone, again]) == [
        *(UP, gone, again._replace(spawnerr="Bad exit code 3"))
    ]
    assert looked([gone], [gone, done], [gone, Process("done", "done", "STARTING", 9)]) == [
        *(gone, Process("done", "done", "STARTING", 9, "exit status 2"))
    ]
    assert looked([crashed], [Process("crashed", "crashed", "RUNNING", 8)]) == [
        Process("crashed", "crashed", "RUNNING", 8)
    ]


# the process that the core starts


def run(conf: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The worker as a process, with this configuration."""
    script = (
        "import sys; from inspect_agent.workers.supervisord import main;"
        "sys.exit(main(sys.argv[2:], sys.argv[1:2]))"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", script, str(conf), *arguments],
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
    )


def test_a_look(tmp_path: Path) -> None:
    """Prints all processes, with what the configuration says of their restarts."""
    conf, path = tmp_path / "supervisord.conf", tmp_path / "s.sock"
    conf.write_text(f"[unix_http_server]\nfile={path}\n[program:web]\n[program:off]\n")
    off = {"group": "ö", "name": "off", "statename": "STOPPED", "logfile": "", "now": 7}
    with over_socket(path, says(xml([WEB, off]))):
        ran = run(conf, "look")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert parse(ran.stdout) == [
        Process("web", "web", "RUNNING", 7, comes_back=True),
        Process("ö", "off", "STOPPED"),
    ]


@pytest.mark.parametrize("verb", ["look", "restart"])
def test_what_goes_wrong_is_one_line(tmp_path: Path, verb: str) -> None:
    """On standard error, with exit status 1, and without any secret."""
    conf, path = tmp_path / "supervisord.conf", tmp_path / "s.sock"
    conf.write_text(
        f"[supervisorctl]\nserverurl=unix://{path}\nusername=secret-user\npassword=secret-word"
    )
    with over_socket(path, says(http("", "401 Unauthorized"))):
        ran = run(conf, verb, "web")

    words = f"unix://{path}: it refuses username and password of {conf}"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", f"{words}\n")
