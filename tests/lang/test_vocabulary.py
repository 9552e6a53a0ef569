"""The words that sources, managers and channels bring."""

from __future__ import annotations

import pytest

from inspect_agent import registry
from inspect_agent.lang.vocabulary import installed
from inspect_agent.model.metric import Metric
from tests.lang.words import VOCABULARY


def test_what_is_installed() -> None:
    """Every built-in source, manager and channel can be loaded, and is known by its name."""
    vocabulary = installed()
    assert vocabulary.faults == ()
    assert set(registry.built_in("managers")) <= set(vocabulary.managers)
    assert set(registry.built_in("channels")) <= set(vocabulary.channels)
    assert {"cpu", "load:5", "swap", "memory:free"} <= set(vocabulary.metrics("host"))
    assert {"memory:rss", "cpu:user"} <= set(vocabulary.metrics("service"))


def test_what_cannot_be_loaded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is broken is a fault of its own; the others stay known."""
    broken = {
        **registry.channels(),
        "broken": "inspect_agent.no_such_module:Thing",
        "hollow": "inspect_agent.errors:InspectError",
    }
    monkeypatch.setattr(registry, "channels", lambda: broken)
    vocabulary = installed()
    assert vocabulary.faults == (
        "inspect_agent.no_such_module:Thing, called broken, cannot be loaded:"
        " No module named 'inspect_agent.no_such_module'",
        "inspect_agent.errors:InspectError, called hollow, cannot be loaded:"
        " type object 'InspectError' has no attribute 'params'",
    )
    assert "log" in vocabulary.channels


def test_metrics_are_found_in_their_scope() -> None:
    """A family may be the host's and a service's, with metrics of its own in each."""
    found = [
        VOCABULARY.metric("host", "memory", "free"),
        VOCABULARY.metric("host", "memory", "rss"),
        VOCABULARY.metric("service", "memory", "rss"),
        VOCABULARY.metric("host", "disk", "/var"),
        VOCABULARY.metric("host", "disk", ""),
        VOCABULARY.metric("service", "disk", "/var"),
    ]
    assert found == [
        Metric("free", "bytes", "gauge", "free"),
        None,
        Metric("rss", "bytes", "gauge", "resident"),
        Metric("", "percent", "gauge", "used", most=100.0),
        None,
        None,
    ]
