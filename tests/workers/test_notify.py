"""The notify worker, as the process that the core runs."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from inspect_agent.model import wire
from inspect_agent.model.config import Destination
from tests.alerting.samples import FAILED, GONE
from tests.servers.ca import Authority
from tests.servers.mail import MailServer, Mute
from tests.servers.web import WebServer

PATIENCE_S = 30
"""A test that waits longer has failed."""

AS_ROOT = "this worker runs as root: "
"""What it says where it may not or cannot be the user `inspect`."""

WORKER = ("-I", "-m", "inspect_agent.workers.notify")


class Notify:
    """The worker, or a command that starts it, spoken with over its pipes."""

    def __init__(self, command: Sequence[str] = WORKER, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            bufsize=0,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **environment},
        )

    def say(self, line: bytes) -> None:
        """Sends a line as it is."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def configure(self, *destinations: Destination) -> None:
        """Sends a configuration."""
        plain = [wire.plain(destination) for destination in destinations]
        self.say(json.dumps({"configure": {"host": "web-1", "destinations": plain}}).encode())

    def deliver(self, number: int, to: str, **changes: Any) -> None:
        """Hands over a message of FAILED, with some members changed."""
        deliver = {
            "id": number,
            "destination": to,
            "message_id": f"id-{number}",
            "at": FAILED.at,
            "events": [wire.plain(FAILED)],
            **changes,
        }
        self.say(json.dumps({"deliver": deliver}).encode())

    def answer(self) -> dict[str, Any]:
        """The next answer."""
        found: dict[str, Any] = json.loads(self.read_line())["answer"]
        return found

    def read_line(self) -> bytes:
        """The next line of standard output."""
        return self._line(self.process.stdout)

    def complaint(self) -> str:
        """The next line of standard error, but for why it runs as root where it does."""
        line = self._line(self.process.stderr).decode().rstrip("\n")
        return self.complaint() if line.startswith(AS_ROOT) else line

    def _line(self, stream: Any) -> bytes:
        ready, _, _ = select.select([stream], [], [], PATIENCE_S)
        assert ready, "the worker says nothing"
        line: bytes = stream.readline()
        return line

    def end(self) -> tuple[int, bytes, bytes]:
        """Closes its standard input: its exit status, and what it said last."""
        out, error = self.process.communicate(timeout=PATIENCE_S)
        lines = error.splitlines(keepends=True)
        said = b"".join(line for line in lines if not line.startswith(AS_ROOT.encode()))
        return self.process.returncode, out, said


@pytest.fixture
def notify() -> Iterator[Notify]:
    """A worker, gone after the test."""
    worker = Notify()
    yield worker
    worker.process.kill()
    worker.process.communicate()


def log(key: str = "/log") -> Destination:
    """A destination in the log."""
    return Destination(key, "", "log", incidents=False)


def mail(key: str, port: int, **params: str) -> Destination:
    """A destination over a mail server of this test."""
    given = {"to_email": "ops@example.com", "smtp_server": "127.0.0.1", "port": str(port), **params}
    return Destination(key, "ops", "email", incidents=False, params=tuple(given.items()))


LINE = "ALERT critical sidekiq: memory:rss > 500m for 2 cycles (612.40m)"


def test_a_message_goes_to_the_log(notify: Notify) -> None:
    """The log channel writes to standard error, and the answer has the number of the delivery."""
    notify.configure(log())
    notify.deliver(7, "/log")
    assert notify.answer() == {"id": 7, "outcome": "taken", "how": "written to the log"}
    assert notify.complaint() == LINE


def test_a_letter_goes_out_over_tls_with_a_login(tmp_path: Path) -> None:
    """The whole way: secrets by the first line, a verified certificate, a letter with its id."""
    authority = Authority(tmp_path)
    tls = authority.server_context("127.0.0.1")
    worker = Notify(SSL_CERT_FILE=str(authority.bundle))
    with MailServer(tls, users={"inspect": "correct horse"}) as server:
        worker.configure(
            mail("ops/email", server.port, username="inspect", password="correct horse")
        )
        worker.deliver(1, "ops/email", message_id="abc")
        answer = worker.answer()
        letter = server.letters.get_nowait()
    assert answer == {
        "id": 1,
        "outcome": "taken",
        "how": f"taken by 127.0.0.1:{server.port}: 250 queued as 4711",
    }
    assert b"\r\nMessage-ID: <abc@web-1>\r\n" in letter.content
    assert worker.end() == (0, b"", b"")


def test_what_failed_for_now_and_for_good_is_told_apart(notify: Notify) -> None:
    """delayed has a reason and a time to wait, which may be null; refused has a reason."""
    with MailServer(replies={"RCPT": "450 busy"}) as server:
        notify.configure(mail("ops/email", server.port))
        notify.deliver(1, "ops/email")
        first = notify.answer()
        server.replies["RCPT"] = "550 no such user"
        notify.deliver(2, "ops/email")
        second = notify.answer()
    where = f"127.0.0.1:{server.port}: RCPT TO:"
    assert first == {
        "id": 1,
        "outcome": "delayed",
        "reason": f"{where} 450 busy",
        "retry_after_s": None,
    }
    assert second == {"id": 2, "outcome": "refused", "reason": f"{where} 550 no such user"}


def test_each_destination_gets_its_messages_in_order(notify: Notify) -> None:
    """What is handed over in order arrives in order, whatever other destinations do."""
    with MailServer() as server:
        notify.configure(mail("ops/email", server.port), mail("ops/email/2", server.port), log())
        for number in range(0, 30, 3):
            notify.deliver(number, "ops/email")
            notify.deliver(number + 1, "ops/email/2")
            notify.deliver(number + 2, "/log")
        ids = [notify.answer()["id"] for _ in range(30)]
    for lane in range(3):
        assert [number for number in ids if number % 3 == lane] == list(range(lane, 30, 3))


def test_a_server_that_hangs_holds_up_nobody_else_nor_the_end(notify: Notify) -> None:
    """While one destination hangs others deliver, and end of file still ends the worker."""
    with Mute() as server:
        notify.configure(mail("ops/email", server.port), log())
        notify.deliver(1, "ops/email")
        notify.deliver(2, "/log")
        assert notify.answer()["id"] == 2
        assert notify.end() == (0, b"", LINE.encode() + b"\n")


def test_apprise_keeps_its_noise_to_itself(notify: Notify) -> None:
    """A service of apprise delivers in the worker; standard output stays the protocol's."""
    with WebServer() as server:
        params = (("url", f"json://127.0.0.1:{server.port}/"),)
        notify.configure(Destination("ops/apprise", "ops", "apprise", False, params))
        notify.deliver(1, "ops/apprise")
        answer = notify.answer()
        request = server.requests.get_nowait()
    assert answer == {"id": 1, "outcome": "taken", "how": "taken by JSON"}
    assert request.json()["title"] == f"[web-1] {LINE.removeprefix('ALERT critical ')}".replace(
        "sidekiq", "CRITICAL sidekiq", 1
    )
    status, out, _ = notify.end()
    assert (status, out) == (0, b"")


def test_a_configuration_replaces_the_one_before(notify: Notify) -> None:
    """What the newest one does not name is refused."""
    notify.configure(log(), log("ops/log"))
    notify.configure(log("ops/log"))
    notify.deliver(1, "/log")
    notify.deliver(2, "ops/log")
    answers = sorted((notify.answer() for _ in range(2)), key=lambda answer: int(answer["id"]))
    assert answers == [
        {
            "id": 1,
            "outcome": "refused",
            "reason": "the configuration has no such destination any more",
        },
        {"id": 2, "outcome": "taken", "how": "written to the log"},
    ]


NOT_A_DELIVERY = "notify: neither a configuration nor a delivery with a number"
NOT_A_CONFIGURATION = "notify: a configuration needs a host and destinations"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"", "notify: not a line of JSON: "),
        (b"deliver", "notify: not a line of JSON: "),
        (b"\xff\xfe\x00", "notify: not a line of JSON: "),
        (b'{"deliver": {', "notify: not a line of JSON: "),
        (b"[" * 100_000, "notify: "),
        (b"[1]", "notify: not a JSON object"),
        (b"{}", NOT_A_DELIVERY),
        (b'{"s3cret": 1}', NOT_A_DELIVERY),
        (b'{"deliver": 5}', NOT_A_DELIVERY),
        (b'{"deliver": {"id": "x"}}', NOT_A_DELIVERY),
        (b'{"configure": {}}', NOT_A_CONFIGURATION),
        (b'{"configure": {"host": "h", "destinations": ["s3cret"]}}', NOT_A_CONFIGURATION),
        (b'{"configure": {"host": "h", "destinations": [{"is": []}]}}', NOT_A_CONFIGURATION),
        (
            b'{"configure": {"host": "h", "destinations": [{"is": "Event", "at": "s3cret"}]}}',
            NOT_A_CONFIGURATION,
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_the_worker_lives_on(
    notify: Notify, line: bytes, complaint: str
) -> None:
    """Garbage costs one line of standard error, which repeats nothing; the next line is served."""
    notify.configure(log())
    notify.say(line)
    told = notify.complaint()
    assert told.startswith(complaint)
    assert "s3cret" not in told
    notify.deliver(1, "/log")
    assert notify.answer()["outcome"] == "taken"


@pytest.mark.parametrize(
    "changes",
    [
        {"destination": 5},
        {"message_id": None},
        {"at": "noon"},
        {"events": []},
        {"events": [5]},
        {"events": [{"is": "Event", "colour": "red"}]},
        {"events": wire.plain(GONE)},
    ],
)
def test_a_delivery_that_cannot_be_read_is_refused(notify: Notify, changes: dict[str, Any]) -> None:
    """A delivery with a number always gets an answer."""
    notify.configure(log())
    notify.deliver(9, "/log", **changes)
    assert notify.answer() == {
        "id": 9,
        "outcome": "refused",
        "reason": "a delivery needs a destination, a message_id, a time and events",
    }


def test_a_time_that_no_calendar_has_delays(notify: Notify) -> None:
    """What can be read and not be said is an answer, too, and the next message is served."""
    notify.configure(log())
    notify.deliver(1, "/log", events=[wire.plain(FAILED._replace(at=1e300))])
    assert notify.answer()["outcome"] == "delayed"
    notify.deliver(2, "/log")
    assert notify.answer()["outcome"] == "taken"


def test_a_killed_core_takes_the_worker_with_it() -> None:
    """The worker ends when the process that started it is killed, though its pipes stay open."""
    start = (
        "import signal, subprocess, sys\n"
        "worker = [sys.executable, '-I', '-m', 'inspect_agent.workers.notify']\n"
        "print(subprocess.Popen(worker, stderr=subprocess.DEVNULL).pid, flush=True)\n"
        "signal.pause()\n"
    )
    core = Notify(command=("-c", start))
    worker = os.pidfd_open(int(core.read_line()))
    core.configure(log())
    core.deliver(1, "/log")
    assert core.answer()["outcome"] == "taken"
    core.process.kill()
    ended, _, _ = select.select([worker], [], [], PATIENCE_S)
    os.close(worker)
    core.end()
    assert ended == [worker]
