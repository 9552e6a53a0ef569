"""No channel tells a secret, whatever goes wrong: neither in an answer nor on standard error."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest

from inspect_agent import registry
from inspect_agent.alerting.delivery import Delivery, Outcome, Taken, channel_class
from inspect_agent.alerting.digest import Row
from inspect_agent.channels.email import Email
from inspect_agent.model.config import Destination
from tests.alerting.samples import FAILED
from tests.servers.ca import Authority
from tests.servers.mail import MailServer, Mute, ScriptedServer, closed_port
from tests.servers.web import WebServer

PASSWORD = "hunter2-ZEBRA!"
USER, TOKEN, KEY = "u5er-Quagga", "T0ken-Okapi", "qu3ry-Gnu"
SECRETS = (PASSWORD, USER, TOKEN, KEY, base64.b64encode(PASSWORD.encode()).decode()[:16])
LOGIN = {"username": "inspect", "password": PASSWORD}

PARAMS: dict[str, dict[str, str]] = {
    "email": {"to_email": "ops@example.com", "smtp_server": "127.0.0.1", **LOGIN},
    "gmail": {"to_email": "ops@example.com", **LOGIN},
    "apprise": {"url": f"json://{USER}:{PASSWORD}@127.0.0.1:PORT/{TOKEN}?key={KEY}&rto=0.05"},
    "log": {},
    "null": {},
}
"""A destination of every channel, with each of its secrets; PORT is filled in."""


def test_every_channel_is_walked_with_every_secret_it_has() -> None:
    """A channel that is added without its secrets here fails."""
    wanted = {
        name: {item.name for item in registry.load(where).params if item.kind == "secret"}
        for name, where in registry.built_in("channels").items()
    }
    assert wanted == {
        name: {key for key, value in params.items() if any(secret in value for secret in SECRETS)}
        for name, params in PARAMS.items()
    }


def outcome_of(find: Any, channel: str, params: Mapping[str, str]) -> Outcome:
    """How a delivery over a channel ends."""
    answers: SimpleQueue[Outcome] = SimpleQueue()
    delivery = Delivery(lambda number, outcome: answers.put(outcome), find)
    destination = Destination("ops/x", "ops", channel, False, tuple(params.items()))
    delivery.configure("web-1", [destination])
    delivery.deliver(1, Row("ops/x", "id-1", 1.0, (FAILED,)))
    return answers.get(timeout=60)


def assert_silent(outcome: Outcome, captured: tuple[str, str]) -> None:
    """No secret is in an answer, nor on standard output or error."""
    told = "\n".join([str(outcome), *captured])
    assert [secret for secret in SECRETS if secret.lower() in told.lower()] == []


@pytest.mark.parametrize("channel", sorted(PARAMS))
@pytest.mark.parametrize("place", ["__init__", "send"])
@pytest.mark.parametrize("error", [ValueError, OSError, KeyError])
def test_an_error_that_repeats_everything_tells_no_secret(
    channel: str, place: str, error: type[Exception], capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever a channel or its libraries put into an exception, the answer has no secret."""

    def careless(self: Any, value: Any) -> str:
        raise error(f"{'; '.join(PARAMS[channel].values())} {PARAMS[channel]!r}")

    kind = type("Careless", (channel_class(channel),), {place: careless})
    outcome = outcome_of(lambda name: kind, channel, PARAMS[channel])
    assert not isinstance(outcome, Taken)
    assert_silent(outcome, capfd.readouterr())


class Hasty(Email):
    """Mail without patience."""

    def __init__(self, params: Mapping[str, str]) -> None:
        super().__init__(params, timeout_s=0.05)


@contextmanager
def mail_servers(name: str, authority: Authority) -> Iterator[tuple[int, dict[str, str]]]:
    """A mail server that goes wrong in its way: its port, and how to talk to it."""
    tls = authority.server_context("127.0.0.1")
    users = {"inspect": PASSWORD}
    echo = {"EHLO": "250-hello\r\n250 AUTH PLAIN LOGIN\r\n", "AUTH": "535 what is {line}?\r\n"}
    open_tls = {"insecure": "yes"}
    if name == "nobody":
        yield closed_port(), {}
    elif name == "mute":
        with Mute() as mute:
            yield mute.port, {}
    elif name == "parrot":
        with ScriptedServer(b"220 hello\r\n", echo) as parrot:
            yield parrot.port, {"tls": "none"}
    elif name == "stranger":
        with MailServer(tls, users=users) as server:
            yield server.port, {}
    elif name == "wrong password":
        with MailServer(tls, users={"inspect": "another"}) as server:
            yield server.port, open_tls
    else:
        with MailServer(tls, users=users, replies={name: "550 no"}) as server:
            yield server.port, open_tls


@pytest.mark.parametrize(
    "server", ["nobody", "mute", "parrot", "stranger", "wrong password", "MAIL", "RCPT", "DATA"]
)
def test_mail_that_fails_tells_no_secret(
    server: str, authority: Authority, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each way in which a mail server fails, up to one that repeats the password in base64."""
    with mail_servers(server, authority) as (port, how):
        params = {**PARAMS["email"], **how, "port": str(port)}
        outcome = outcome_of(lambda name: Hasty, "email", params)
    assert not isinstance(outcome, Taken)
    assert_silent(outcome, capfd.readouterr())


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"username": ""}, "Refused(reason='email: password: it needs a username, too')"),
        ({"port": "many"}, "Refused(reason='email: port: it is a number from 1 to 65535')"),
    ],
)
def test_wrong_parameters_tell_no_secret(params: dict[str, str], problem: str) -> None:
    """A wrong parameter is named; no value is."""
    outcome = outcome_of(channel_class, "email", {**PARAMS["email"], **params})
    assert str(outcome) == problem


@pytest.mark.parametrize("server", ["nobody", "mute", "500", "no such service"])
def test_apprise_that_fails_tells_no_secret(server: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A service that is not there, hangs, says no or is unknown: the URL stays unknown, too."""
    with WebServer(500) as web, Mute() as mute:
        ports = {"nobody": closed_port(), "mute": mute.port, "500": web.port}
        url = PARAMS["apprise"]["url"].replace("PORT", str(ports.get(server, 1)))
        if server == "no such service":
            url = url.replace("json://", "jason://")
        outcome = outcome_of(channel_class, "apprise", {"url": url})
    assert not isinstance(outcome, Taken)
    assert_silent(outcome, capfd.readouterr())


@pytest.mark.parametrize("channel", ["apprise", "email", "log", "null"])
def test_a_success_tells_no_secret(
    channel: str,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What is told of a delivery that went well has no secret either."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    tls = authority.server_context("127.0.0.1")
    with WebServer() as web, MailServer(tls, users={"inspect": PASSWORD}) as mail:
        url = PARAMS["apprise"]["url"].replace("PORT", str(web.port))
        reachable = {"apprise": {"url": url}, "email": {"port": str(mail.port)}}.get(channel, {})
        outcome = outcome_of(channel_class, channel, {**PARAMS[channel], **reachable})
    assert isinstance(outcome, Taken)
    assert_silent(outcome, capfd.readouterr())
