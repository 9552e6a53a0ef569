"""The control socket: both languages, bad requests, who may ask, and whose socket it is."""

from __future__ import annotations

import json
import os
import pwd
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.core.connection import ANSWER_S, LONGEST_REQUEST, REQUEST_S
from inspect_agent.core.control import MOST_CONNECTIONS, Command, Control, Reply
from inspect_agent.core.request import Request
from inspect_agent.errors import ControlError
from tests.core.logs import logging
from tests.core.looping import FakeClock, Reports, looping, run_until, spin, turns

HELP = "unknown command: {}; try: help"


class Client:
    """One connection, served by the same loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(server.path)
        self.socket.setblocking(False)
        self.answer = b""
        self.closed = False
        server.loop.add_reader(self.socket.fileno(), self._read)

    def _read(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.answer += data
        if not data:
            self.close()

    def close(self) -> None:
        """Goes away."""
        if not self.closed:
            self.closed = True
            self._server.loop.remove(self.socket.fileno())
            self.socket.close()

    def send(self, data: bytes) -> Client:
        """Sends what the socket takes."""
        self.socket.send(data)
        return self

    def half_close(self) -> Client:
        """Says nothing more."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def read(self) -> bytes:
        """All that is answered, until the server closes."""
        spin(self._server.loop, lambda: self.closed)
        return self.answer


class Server:
    """A control socket with some commands, on a fake clock."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.path = str(folder / "inspect.sock")
        self.reports = Reports()
        self.clock = FakeClock()
        self.loop = stack.enter_context(looping(self.clock, self.reports))
        self.lines = stack.enter_context(logging())
        self.control = Control(self.loop, self.lines.log, self.path, as_text)
        stack.callback(self.control.close)
        self.requests: list[Request] = []
        self.held: list[Reply] = []
        self.control.serve(
            {
                "status": Command(self.status, False, "how it is"),
                "start deploy": Command(self.start_deploy, True, "opens a window"),
                "wait": Command(self.wait, False, "answers later"),
                "fail": Command(self.fail, False, "raises"),
                "refuse": Command(self.refuse, False, "says no, later"),
                "odd": Command(self.odd, False, "half a surrogate pair"),
                "much": Command(self.much, False, "a megabyte"),
            }
        )

    def status(self, request: Request, reply: Reply) -> None:
        """Answers at once."""
        self.requests.append(request)
        reply({"fine": True})

    def start_deploy(self, request: Request, reply: Reply) -> None:
        """Changes something."""
        self.requests.append(request)
        reply("done")

    def wait(self, request: Request, reply: Reply) -> None:
        """Answers when the test says so."""
        self.held.append(reply)

    def fail(self, request: Request, reply: Reply) -> None:
        """Has a mistake in it."""
        raise KeyError("oops")

    def refuse(self, request: Request, reply: Reply) -> None:
        """Finds out later that it cannot."""
        self.loop.call_later(0.0, partial(reply, ControlError("not\nnow")))

    def odd(self, request: Request, reply: Reply) -> None:
        """Text that is no UTF-8."""
        reply("caf\udce9")

    def much(self, request: Request, reply: Reply) -> None:
        """More than a socket takes at once."""
        reply("x" * 1_000_000)

    def ask(self, data: bytes) -> bytes:
        """One request on a connection of its own."""
        return Client(self).send(data).read()

    def ask_json(self, value: object) -> Any:
        """One request in JSON."""
        return json.loads(self.ask(json.dumps(value).encode() + b"\n"))


def as_text(command: str, answer: Any) -> str:
    """An answer in words."""
    return f"{command} says {answer}\n"


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A control socket."""
    with ExitStack() as stack:
        yield Server(folder, stack)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A control socket in whose loop nothing may raise."""
    with serving(tmp_path) as one:
        yield one
    assert one.reports.texts == []


@pytest.mark.parametrize("line", [b"status\n", b"  status \r\n", b"status", b"status\nrest"])
def test_a_line_of_words_is_answered_in_words(server: Server, line: bytes) -> None:
    """Then the connection is closed; who ends without a newline has ended, too."""
    client = Client(server).send(line)
    if b"\n" not in line:
        client.half_close()
    assert client.read() == b"status says {'fine': True}\n"
    assert server.requests == [Request("status", {"words": []}, False)]


def test_two_words_may_be_a_command(server: Server) -> None:
    """The rest of the words are its arguments."""
    assert server.ask(b"start deploy sidekiq for 10m\n") == b"start deploy says done\n"
    words = {"words": ["sidekiq", "for", "10m"]}
    assert server.requests == [Request("start deploy", words, False)]


def test_a_line_of_json_is_answered_in_json(server: Server) -> None:
    """On one line; arguments may be left out."""
    assert server.ask(b'{"command": "status"}\n') == b'{"ok":{"fine":true}}\n'
    words = {"words": ["sidekiq"]}
    assert server.ask_json({"command": "start deploy", "args": words}) == {"ok": "done"}
    assert server.requests == [
        Request("status", {}, True),
        Request("start deploy", words, True),
    ]


def test_a_request_may_come_in_pieces(server: Server) -> None:
    """Byte by byte, as a person types."""
    client = Client(server)
    for byte in b'{"command": "status"}\n':
        client.send(bytes([byte]))
        turns(server.loop)
    assert client.read() == b'{"ok":{"fine":true}}\n'


def test_an_answer_may_come_later(server: Server) -> None:
    """Also to a client that has closed its half, as `echo … | nc -U` does."""
    words, js = Client(server).send(b"wait\n").half_close(), Client(server)
    js.send(b'{"command": "wait"}\n')
    spin(server.loop, lambda: len(server.held) == 2)
    assert (words.answer, js.answer) == (b"", b"")
    for reply in server.held:
        reply("now")
    assert {words.read(), js.read()} == {b"wait says now\n", b'{"ok":"now"}\n'}


def test_an_answer_to_nobody_is_dropped(server: Server) -> None:
    """The client has gone meanwhile."""
    client = Client(server).send(b"wait\n")
    spin(server.loop, lambda: server.held)
    client.close()
    turns(server.loop)
    server.held[0]("now")
    assert server.ask(b"status\n") == b"status says {'fine': True}\n"


def test_a_long_answer_arrives_whole(server: Server) -> None:
    """Piece by piece, as the client reads."""
    assert server.ask(b"much\n") == b"much says " + b"x" * 1_000_000 + b"\n"


def test_a_client_that_does_not_read_is_left_alone(server: Server) -> None:
    """It holds up nobody, and its connection ends."""
    client = Client(server).send(b"much\n")
    server.loop.remove(client.socket.fileno())
    assert server.ask(b"status\n") == b"status says {'fine': True}\n"
    server.clock.now += ANSWER_S + REQUEST_S
    assert server.ask(b"status\n") == b"status says {'fine': True}\n"
    server.clock.now += REQUEST_S
    turns(server.loop)
    server.loop.add_reader(client.socket.fileno(), client._read)
    assert len(client.read()) < 1_000_000


def test_a_refusal_may_come_later(server: Server) -> None:
    """In the language of the request."""
    assert server.ask(b"refuse\n") == b"not\nnow\n"
    assert server.ask_json({"command": "refuse"}) == {"error": "not\nnow"}


def test_an_answer_that_is_no_utf8_is_given_all_the_same(server: Server) -> None:
    """A mount point may have any name."""
    assert server.ask(b"odd\n") == b"odd says caf?\n"
    assert server.ask_json({"command": "odd"}) == {"ok": "caf?"}


def test_a_command_that_raises_is_answered_and_reported(tmp_path: Path) -> None:
    """The client does not wait for nothing."""
    with serving(tmp_path) as server:
        said = "something went wrong; the agent's log says what"
        assert server.ask(b"fail\n") == f"{said}\n".encode()
        assert server.ask_json({"command": "fail"}) == {"error": said}
        assert server.reports.texts == ["Connection._read: KeyError('oops')"] * 2


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"\n", HELP.format("''")),
        (b"stat\n", HELP.format("'stat'")),
        (b"start\n", HELP.format("'start'")),
        (b"a" * 100 + b"\n", HELP.format(repr("a" * 80))),
        (b"\x1b[2J\n", HELP.format(r"'\x1b[2J'")),
        (b"\xff\xfe\n", "the request is not UTF-8"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", HELP.format("'GET / HTTP/1.1'")),
    ],
)
def test_words_that_are_no_command(server: Server, request_: bytes, answer: str) -> None:
    """Each gets one line that says what is wrong."""
    assert server.ask(request_) == f"{answer}\n".encode()
    assert server.requests == []


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (b"{", "the request is not JSON"),
        (b"{}}", "the request is not JSON"),
        (b'{"command": "status"', "the request is not JSON"),
        (b'{"a":' * 20_000 + b"\n", "the request is longer than 64 KiB"),
        (b'{"a":' * 10_000 + b"\n", "the request is not JSON"),
        (b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "the request is not JSON"),
        (b"{}", 'a request is {"command": TEXT, "args": {…}}'),
        (b'{"command": 5}', 'a request is {"command": TEXT, "args": {…}}'),
        (b'{"command": ["status"]}', 'a request is {"command": TEXT, "args": {…}}'),
        (b'{"command": "status", "args": []}', 'a request is {"command": TEXT, "args": {…}}'),
        (b'{"command": "stop"}', HELP.format("'stop'")),
        (b'{"command": "\\ud800"}', HELP.format(r"'\ud800'")),
        (b'{"command": "status", "n": ' + b"9" * 9999 + b"}", "the request is not JSON"),
        (b' {"command": "\xff"}', "the request is not UTF-8"),
    ],
)
def test_json_that_is_no_request(server: Server, request_: bytes, error: str) -> None:
    """Each gets an object that says what is wrong."""
    assert json.loads(Client(server).send(request_).half_close().read()) == {"error": error}
    assert server.requests == []


def test_a_request_that_is_too_long(server: Server) -> None:
    """It is answered as soon as it is, with or without an end; one of just 64 KiB is read."""
    longest = b"x" * LONGEST_REQUEST
    assert server.ask(longest + b"\n") == f"{HELP.format(repr('x' * 80))}\n".encode()
    assert server.ask(longest + b"x") == b"the request is longer than 64 KiB\n"
    assert server.ask(longest + b"x\n") == b"the request is longer than 64 KiB\n"
    assert json.loads(server.ask(b"{" + longest)) == {"error": "the request is longer than 64 KiB"}


def test_a_request_that_is_never_finished(server: Server) -> None:
    """After two seconds it is answered with that; a trickle does not prolong it."""
    silent, trickling = Client(server), Client(server)
    for _ in range(4):
        trickling.send(b"s")
        turns(server.loop)
        server.clock.now += REQUEST_S / 4
    said = b"the request was not finished within 2 seconds\n"
    assert (silent.read(), trickling.read()) == (said, said)


def test_an_answer_that_does_not_come(server: Server) -> None:
    """The client is told before it gives up, and what comes after that is dropped."""
    client = Client(server).send(b'{"command": "wait"}\n')
    spin(server.loop, lambda: server.held)
    server.clock.now += ANSWER_S
    said = {"error": f"not done within {ANSWER_S:.0f} seconds; it goes on"}
    assert json.loads(client.read()) == said
    server.held[0]("late")


def test_a_client_that_only_connects(server: Server) -> None:
    """And goes away again: nothing stays of it."""
    for _ in range(3 * MOST_CONNECTIONS):
        Client(server).close()
        turns(server.loop)
    assert server.ask(b"status\n") == b"status says {'fine': True}\n"


def test_many_at_once(server: Server) -> None:
    """Each gets its own answer."""
    clients = [Client(server) for _ in range(MOST_CONNECTIONS)]
    for number, client in enumerate(clients):
        client.send(b"status\n" if number % 2 else b'{"command": "status"}\n')
    answers = [client.read() for client in clients]
    assert answers == [b'{"ok":{"fine":true}}\n', b"status says {'fine': True}\n"] * 32


def test_too_many_at_once(server: Server) -> None:
    """Those beyond 64 are closed without a word; the others, and those to come, are served."""
    clients = [Client(server).send(b"wait\n") for _ in range(MOST_CONNECTIONS)]
    spin(server.loop, lambda: len(server.held) == MOST_CONNECTIONS)
    assert Client(server).read() == b""
    for reply in server.held:
        reply("now")
    assert {client.read() for client in clients} == {b"wait says now\n"}
    assert server.ask(b"status\n") == b"status says {'fine': True}\n"


def test_who_comes_before_serve_waits(tmp_path: Path) -> None:
    """While the first configuration is read."""
    path = str(tmp_path / "inspect.sock")
    with looping() as loop, logging() as lines:
        control = Control(loop, lines.log, path, as_text)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"status\n")
            client.setblocking(False)
            control.serve({"status": Command(lambda _, reply: reply("fine"), False, "")})
            answer = b""

            def read() -> None:
                nonlocal answer
                answer += client.recv(999)

            loop.add_reader(client.fileno(), read)
            run_until(loop, lambda: answer)
            loop.remove(client.fileno())
        control.close()
    assert answer == b"status says fine\n"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_REQUESTS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=80).map(lambda text: text.encode(errors="surrogatepass") + b"\n"),
    _JSON.map(lambda value: json.dumps(value).encode() + b"\n"),
    st.builds(
        lambda command, args: json.dumps({"command": command, "args": args}).encode() + b"\n",
        st.sampled_from(["status", "start deploy", "odd"]) | _JSON,
        _JSON,
    ),
)


@settings(max_examples=300)
@given(requests=st.lists(_REQUESTS, min_size=1, max_size=5))
def test_no_bytes_make_anything_but_an_answer(
    tmp_path_factory: pytest.TempPathFactory, requests: list[bytes]
) -> None:
    """Whatever is sent, the connection is answered and closed, and the loop lives on."""
    with serving(tmp_path_factory.mktemp("socket")) as server:
        clients = [Client(server).send(request).half_close() for request in requests]
        for client in clients:
            answer = client.read()
            assert answer.endswith(b"\n")
            answer.decode()
            if answer.startswith(b"{"):
                assert json.loads(answer).keys() <= {"ok", "error"}
        assert server.ask(b"status\n") == b"status says {'fine': True}\n"
    assert server.reports.texts == []


ASK = """
import os, socket, sys
path, uid, gid, groups, request = sys.argv[1:]
os.setgroups([int(group) for group in groups.split()])
os.setgid(int(gid)); os.setuid(int(uid))
client = socket.socket(socket.AF_UNIX)
try:
    client.connect(path)
except PermissionError:
    sys.exit("may not connect")
client.sendall(request.encode() + b"\\n")
sys.stdout.buffer.write(client.makefile("rb").read())
"""


def ask_as(server: Server, uid: int, gid: int, groups: str, request: str) -> str:
    """What another user is answered, by a process of its own."""
    argv = [sys.executable, "-c", ASK, server.path, str(uid), str(gid), groups, request]
    child = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", text=True
    )
    spin(server.loop, lambda: child.poll() is not None)
    said: str = child.communicate()[0]
    return said


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
GROUP, OTHER = 54321, 54322
NOBODY = pwd.getpwnam("nobody").pw_uid


@pytest.fixture
def shared(server: Server, tmp_path: Path) -> Server:
    """A control socket in a folder that everybody may enter."""
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    return server


@needs_root
def test_without_a_group_only_this_user_may_ask(shared: Server) -> None:
    """Not even how it is."""
    shared.control.admit(None)
    assert stat.S_IMODE(os.stat(shared.path).st_mode) == 0o600
    assert ask_as(shared, NOBODY, GROUP, "", "status") == "may not connect\n"
    assert ask_as(shared, 0, 0, "", "start deploy") == "start deploy says done\n"


@needs_root
@pytest.mark.parametrize(("gid", "groups"), [(GROUP, ""), (OTHER, str(GROUP))])
def test_members_of_the_group_may_change(shared: Server, gid: int, groups: str) -> None:
    """By their own group or another they are in; the log says who did."""
    shared.control.admit(GROUP)
    info = os.stat(shared.path)
    assert (stat.S_IMODE(info.st_mode), info.st_gid) == (0o660, GROUP)
    assert ask_as(shared, NOBODY, gid, groups, "start deploy") == "start deploy says done\n"
    (line,) = shared.lines.read()
    assert line.startswith(f" INFO    start deploy, asked by user {NOBODY} (process ")


@needs_root
def test_others_may_not_change(shared: Server) -> None:
    """Whoever reaches the socket all the same may look, and no more: the kernel says who it is."""
    shared.control.admit(GROUP)
    os.chmod(shared.path, 0o666)
    assert ask_as(shared, NOBODY, OTHER, "", "status") == "status says {'fine': True}\n"
    said = f"user {NOBODY} may not start deploy\n"
    assert ask_as(shared, NOBODY, OTHER, "", "start deploy") == said
    assert json.loads(ask_as(shared, NOBODY, OTHER, "", '{"command": "start deploy"}')) == {
        "error": said.rstrip()
    }
    assert [request.command for request in shared.requests] == ["status"]
    assert shared.lines.read() == []


@needs_root
def test_a_group_that_is_taken_away_may_no_longer_ask(shared: Server) -> None:
    """A reload without socket_group closes the socket to it."""
    shared.control.admit(GROUP)
    shared.control.admit(None)
    assert ask_as(shared, NOBODY, GROUP, "", "status") == "may not connect\n"


def test_a_group_that_cannot_be_given_the_socket(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary user's agent says so and goes on, open to that user alone."""

    def refuse(path: str, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    server.control.admit(GROUP)
    assert stat.S_IMODE(os.stat(server.path).st_mode) == 0o600
    assert server.lines.read() == [
        f" WARN    {server.path} cannot be given to group {GROUP}: Operation not permitted"
    ]
    assert server.ask(b"status\n") == b"status says {'fine': True}\n"


def control(path: str) -> None:
    """Tries to serve a path."""
    with looping() as loop, logging() as lines:
        Control(loop, lines.log, path, as_text).close()


def test_a_second_agent_is_refused(server: Server) -> None:
    """With the way out; the first one's socket stays."""
    with pytest.raises(ControlError) as refused:
        control(server.path)
    said = f"another agent serves {server.path}; stop it, or name another with -s"
    assert str(refused.value) == said
    assert server.ask(b"status\n") == b"status says {'fine': True}\n"


def test_the_socket_of_a_dead_agent_is_replaced(tmp_path: Path) -> None:
    """It is a file that nobody serves."""
    path = tmp_path / "inspect.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with serving(tmp_path) as server:
        assert server.ask(b"status\n") == b"status says {'fine': True}\n"
    assert not path.exists()


def test_a_socket_that_something_else_serves_is_left_alone(tmp_path: Path) -> None:
    """Whatever it is."""
    path = str(tmp_path / "other.sock")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        with pytest.raises(ControlError) as refused:
            control(path)
    said = f"something else serves {path}; stop it, or name another socket with -s"
    assert str(refused.value) == said
    assert os.path.exists(path)


def test_a_file_in_its_place_is_never_removed(tmp_path: Path) -> None:
    """Somebody has named the wrong path."""
    path = tmp_path / "inspect.conf"
    path.write_text("set cycle_time 15")
    with pytest.raises(ControlError) as refused:
        control(str(path))
    assert (
        str(refused.value) == f"{path} is there and is no socket; move it, or name another with -s"
    )
    assert path.read_text() == "set cycle_time 15"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/proc/inspect.sock", "No such file or directory"),
        ("/etc/passwd/inspect.sock", "/etc/passwd is no folder"),
        ("/etc/passwd/run/inspect.sock", "Not a directory"),
        (f"{'x' * 120}.sock", "AF_UNIX path too long"),
    ],
)
def test_a_path_that_cannot_be_served(
    path: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is an error with the path and the reason."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ControlError) as refused:
        control(path)
    assert str(refused.value) == f"{path}: {reason}"


def test_its_folder_is_made(tmp_path: Path) -> None:
    """/run is empty after a boot."""
    with serving(tmp_path / "run" / "inspect-agent") as server:
        assert server.ask(b"status\n") == b"status says {'fine': True}\n"


def test_it_is_nobodys_before_it_is_admitted(tmp_path: Path) -> None:
    """From its first moment on, whatever the umask."""
    before = os.umask(0)
    try:
        with serving(tmp_path) as server:
            assert stat.S_IMODE(os.stat(server.path).st_mode) == 0o600
            assert stat.S_IMODE(os.stat(f"{server.path}.lock").st_mode) == 0o600
    finally:
        os.umask(before)
