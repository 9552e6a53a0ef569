"""What the ledger keeps of a step: there and back, and from earlier versions."""

from __future__ import annotations

import json

import pytest

from inspect_agent.core.repairs import intent
from inspect_agent.core.repairs.intent import Intent
from inspect_agent.core.repairs.job import Job, Order
from inspect_agent.model.rule import Repair, Run, Signal, Step, Unmonitor, Verb
from inspect_agent.model.target import Process

PROCESS = Process(4711, 1000.5, "system.slice/x.service")
ORDER = Order("service a/b", "memory:rss > 500m / x", "services.d/a.inq:3")


@pytest.mark.parametrize(
    ("step", "name", "verb"),
    [
        (Repair("restart", "sidekiq"), "restart", "restart"),
        (Repair("stop", "sidekiq"), "stop", "stop"),
        (Signal("TSTP", "sidekiq"), "signal TSTP", None),
        (Run("curl -H 'Token: secret' …", "nobody"), "run (services.d/a.inq:3)", None),
        (Unmonitor("sidekiq"), "unmonitor", None),
    ],
)
def test_a_step_comes_back(step: Step, name: str, verb: Verb | None) -> None:
    """With its times moved by what a boot moved; a command itself is not kept."""
    text = intent.to_text(Job(ORDER, "service sidekiq", (step, step), PROCESS))
    moved = PROCESS._replace(started_s=400.5)
    expected = Intent("service sidekiq", ORDER.target, ORDER.key, name, verb, moved)
    assert intent.from_text("service sidekiq", text, -600.0) == expected
    assert "secret" not in text


def test_a_step_without_a_process_comes_back() -> None:
    """The machine has none."""
    text = intent.to_text(Job(Order("host", "swap > 20%", "x:1"), "host", (Run("x"),), None))
    expected = Intent("host", "host", "swap > 20%", "run (x:1)", None, None)
    assert intent.from_text("host", text, 5.0) == expected


def test_a_repair_of_an_earlier_version_comes_back() -> None:
    """It was kept by the name of its service."""
    old = {"cause": "service sidekiq/memory:rss > 500m", "verb": "restart", "before": PROCESS}
    expected = Intent(
        "service host", "service sidekiq", "memory:rss > 500m", "restart", "restart", PROCESS
    )
    assert intent.from_text("host", json.dumps(old), 0.0) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "null", '"x"', "[1]", "no json", '{"cause": 5}', '{"cause": "a/b"}'),
        '{"target": "host"}',
        '{"target": "host", "rule": "x", "step": "restart", "before": [1]}',
        '{"target": "host", "rule": "x", "step": [], "before": null}',
        '{"target": "host", "rule": "x", "step": "restart", "before": [1, "x", null]}',
    ],
)
def test_garbage_is_no_intent(text: str) -> None:
    """Whatever it raises, remember.tolerant takes it for garbage."""
    with pytest.raises((ValueError, TypeError, KeyError, IndexError, AttributeError)):
        intent.from_text("host", text, 1.0)
