"""Routes in words, without a word of what may be secret."""

from __future__ import annotations

from inspect_agent.export.explain.routes import called, routes, severities
from inspect_agent.model.config import Destination
from inspect_agent.model.rule import Alert


def destination(route: str, channel: str, **params: str) -> Destination:
    """One destination."""
    return Destination("key", route, channel, False, tuple(params.items()))


def test_every_channel() -> None:
    """Of mail the addresses are told, of everything else the channel."""
    assert routes(
        (
            destination("", "email", to_email="Ops <ops@example.com>", password="geheim"),
            destination("", "log"),
            destination("", "email", to_email="boss@example.com", username="geheim"),
            destination("night", "null"),
            destination("chat", "apprise", url="slack://geheim"),
            destination("chat", "apprise", url="json://geheim"),
            destination("chat", "gmail", to_email="ops@example.com", username="geheim"),
            destination("chat", "of_somebody_else", to_email="geheim"),
        )
    ) == {
        "": "the default route (email to ops@example.com and boss@example.com; the log)",
        "night": "the route night (nobody: it is dropped)",
        "chat": "the route chat (apprise 2 times; gmail to ops@example.com; of_somebody_else)",
    }


def test_a_name_alone() -> None:
    """Where it was told already what it leads to."""
    assert (called(""), called("ops")) == ("the default route", "the route ops")


def test_two_alerts_to_one_route() -> None:
    """The graver counts, whichever is written first."""
    alerts = (Alert("a", "info"), Alert("b", "critical"), Alert("a", "warning"), Alert("b", "info"))
    assert severities(alerts) == {"a": "warning", "b": "critical"}
