"""What the agent watches and whom it tells, for tests of the whole agent."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemons import Daemons, daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, units_of
from tests.servers.ca import Authority
from tests.servers.mail import MailServer


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Daemons]:
    """Services without a manager; they end with the test."""
    with daemons(tmp_path) as held:
        yield held


@pytest.fixture
def units(machine: SystemdMachine) -> Iterator[Units]:
    """Services of systemd; they are gone after the test."""
    with units_of(machine) as held:
        yield held


@pytest.fixture
def inside(machine: SystemdMachine, tmp_path: Path) -> Path:
    """A folder of this test inside the machine, which the agent makes."""
    return Path("/run") / tmp_path.name


@pytest.fixture
def post() -> Iterator[Postbox]:
    """A mail server that takes everything."""
    with MailServer() as server:
        yield Postbox(server)


@pytest.fixture
def guarded_post(machine: SystemdMachine, tmp_path: Path) -> Iterator[Postbox]:
    """A mail server with STARTTLS that takes letters of its user alone; the machine trusts it."""
    authority = Authority(tmp_path)
    trusted = ssl.get_default_verify_paths().openssl_cafile
    bundle = authority.bundle.read_text()
    made = machine.run(["mkdir", "-p", str(Path(trusted).parent)])
    added = machine.run(["tee", "--append", trusted], input=bundle)
    assert (made.returncode, added.returncode) == (0, 0)
    context = authority.server_context("127.0.0.1")
    with MailServer(tls=context, users={"pager": "open sesame"}) as server:
        yield Postbox(server)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent that watches nothing but this machine."""
    with RunningAgent(tmp_path / "agent") as agent:
        yield agent
