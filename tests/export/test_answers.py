"""Answers as text: what a person and an existing script read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inspect_agent.export import table
from inspect_agent.export.answers import to_text
from tests.export.test_sparkline import shown
from tests.export.test_table import SAMPLE, status

RELOADED = {"added": [], "changed": [], "removed": [], "host": False, "warnings": []}


@pytest.mark.parametrize(
    ("command", "answer", "text"),
    [
        ("status", status(), SAMPLE),
        ("version", "0.1.0", "0.1.0\n"),
        ("help", {"status": "how it is", "start deploy": "opens"}, None),
        ("show", shown([], reason="not running"), "memory:rss: no data (not running)\n"),
        (
            "start deploy",
            {"names": [], "for_s": 300.0},
            "Starting deploy, now silenced: 5m\n",
        ),
        (
            "start deploy",
            {"names": ["nginx", "redis"], "for_s": 90.0},
            "Starting deploy, now silenced (nginx, redis): 1m30s\n",
        ),
        ("finish deploy", {"names": []}, "Finished deploy, watching again\n"),
        ("stop deploy", {"names": ["nginx"]}, "Finished deploy, watching again (nginx)\n"),
        ("unmonitor", {"names": ["nginx", "redis"]}, "unmonitor: nginx, redis\n"),
        ("monitor", {"names": ["nginx"]}, "monitor: nginx\n"),
        ("reload", RELOADED, "Reloaded\nnothing changed\n"),
        (
            "reload",
            RELOADED
            | {
                "added": ["nginx"],
                "changed": ["redis"],
                "removed": ["puma", "sidekiq"],
                "host": True,
                "warnings": ["inspect.conf: warning: everybody may read it"],
            },
            "Reloaded\nadded nginx\nchanged redis\nremoved puma\nremoved sidekiq\nchanged host\n"
            "inspect.conf: warning: everybody may read it\n",
        ),
    ],
)
def test_an_answer_in_words(command: str, answer: Any, text: str | None) -> None:
    """It ends with a newline."""
    if command == "help":
        text = "status         how it is\nstart deploy   opens\n"
    assert to_text(command, answer) == text


def test_export_is_json() -> None:
    """All of it, in the characters of any script."""
    answer = status() | {"problems": ["grüße"]}
    text = to_text("export", answer)
    assert json.loads(text) == answer
    assert "grüße" in text


def test_status_is_painted() -> None:
    """For a terminal."""
    assert to_text("status", status(), table.colour) == table.render(status(), table.colour)
