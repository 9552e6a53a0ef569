"""docs/alerting.md says what the channels declare."""

from __future__ import annotations

from pathlib import Path

from inspect_agent import registry
from inspect_agent.model.metric import Param

DOCS = Path(__file__).parents[2] / "docs" / "alerting.md"


def test_the_table_of_channels_is_what_they_declare() -> None:
    """Every parameter of every channel is in the docs, in order and in the same words."""
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    start = lines.index("| Channel | Parameter | Kind | What it is |") + 2
    table = lines[start : lines.index("", start)]
    declared = [
        f"| {name} | {param.name} | {_kind(param)} | {param.help} |"
        for name, where in registry.built_in("channels").items()
        for param in registry.load(where).params
    ]
    without = [f"| {name} | | | " for name in ("log", "null")]
    assert [line for line in table if not line.startswith(tuple(without))] == declared
    assert len(table) == len(declared) + len(without)


def _kind(param: Param) -> str:
    words = (
        [" or ".join((", ".join(param.choices[:-1]), param.choices[-1]))] if param.choices else []
    )
    return ", ".join(
        [
            *(words or [param.kind]),
            *(["required"] if param.required else []),
            *(["several"] if param.many else []),
        ]
    )
