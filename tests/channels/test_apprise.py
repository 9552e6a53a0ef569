"""apprise, against a server that remembers what it was sent."""

from __future__ import annotations

import pytest

from inspect_agent.channels.apprise import Apprise, notify_type
from inspect_agent.errors import DeliveryDelayed, DeliveryRefused
from inspect_agent.model.event import Event
from tests.alerting.samples import FAILED, MESSAGE, RECOVERED
from tests.servers.mail import closed_port
from tests.servers.web import WebServer


def test_subject_body_and_kind_arrive() -> None:
    """apprise sends the subject as title, the whole body, and the severity in its own words."""
    with WebServer() as server:
        channel = Apprise({"url": f"json://127.0.0.1:{server.port}/hook"})
        how = channel.send(MESSAGE)
        request = server.requests.get_nowait()
    sent = request.json()
    assert how == "taken by JSON"
    assert (request.path, sent["title"], sent["message"].splitlines(), sent["type"]) == (
        "/hook",
        MESSAGE.subject,
        MESSAGE.body.rstrip().splitlines(),
        "failure",
    )


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_service_that_says_no_delays(status: int) -> None:
    """apprise does not say whether another try can help, so there is one."""
    with WebServer(status) as server:
        channel = Apprise({"url": f"json://127.0.0.1:{server.port}/"})
        with pytest.raises(DeliveryDelayed, match=f"^JSON: Failed to send JSON.*error={status}"):
            channel.send(MESSAGE)


def test_a_service_that_is_not_there_delays() -> None:
    """A refused connection is told with the host's name."""
    with pytest.raises(DeliveryDelayed) as caught:
        Apprise({"url": f"json://127.0.0.1:{closed_port()}/"}).send(MESSAGE)
    assert str(caught.value) == (
        "JSON: A Connection error occurred sending JSON notification to 127.0.0.1."
    )


@pytest.mark.parametrize("url", ["nosuchservice://host/path", "slack://short"])
def test_a_url_that_apprise_does_not_know_is_refused(url: str) -> None:
    """No other try can help, and the URL is not repeated."""
    with pytest.raises(DeliveryRefused) as caught:
        Apprise({"url": url}).send(MESSAGE)
    assert str(caught.value) == (
        "url: apprise cannot use it; see https://appriseit.com for how its URLs are built"
    )


@pytest.mark.parametrize("url", ["", "hooks.example.com", "json://"])
def test_what_is_no_url_is_named(url: str) -> None:
    """A text without a service is a wrong parameter."""
    with pytest.raises(ValueError, match="url: an apprise URL looks like SERVICE://…"):
        Apprise({"url": url})


WARNING = FAILED._replace(severity="warning")
INFO = FAILED._replace(severity="info")


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ((FAILED,), "failure"),
        ((INFO, WARNING, FAILED, RECOVERED), "failure"),
        ((WARNING, INFO), "warning"),
        ((INFO, RECOVERED), "info"),
        ((RECOVERED,), "success"),
    ],
)
def test_the_kind_is_the_gravest_of_what_is_not_over(events: tuple[Event, ...], kind: str) -> None:
    """A digest is as grave as its gravest open event; only where all is over is it a success."""
    assert notify_type(MESSAGE._replace(events=events)) == kind
