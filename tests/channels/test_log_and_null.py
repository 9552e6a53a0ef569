"""The channels that go nowhere far."""

from __future__ import annotations

import pytest

from inspect_agent.channels.log import Log
from inspect_agent.channels.null import Null
from tests.alerting.samples import MESSAGE


def test_the_log_gets_a_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of the short form becomes one of standard error; standard output gets nothing."""
    short = "CRITICAL sidekiq: memory:rss > 500m (612.40m)\nRECOVERED nginx: running again"
    how = Log({}).send(MESSAGE._replace(short=short))
    written = capsys.readouterr()
    assert (how, written.out, written.err) == (
        "written to the log",
        "",
        "ALERT critical sidekiq: memory:rss > 500m (612.40m)\n"
        "ALERT recovered nginx: running again\n",
    )


def test_null_tells_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """Null takes a message and nothing is heard of it."""
    assert Null({}).send(MESSAGE) == "dropped, as configured"
    assert capsys.readouterr() == ("", "")
