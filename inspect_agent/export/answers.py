"""Answers of the control socket as text, for `nc -U`, inspectctl and existing scripts."""

from __future__ import annotations

import json

from inspect_agent.export import sparkline, table, values
from inspect_agent.typed import Any


def to_text(command: str, answer: Any, paint: table.Paint = table.plain) -> str:
    """What a person reads of an answer, with a final newline."""
    if command == "status":
        return table.render(answer, paint)
    if command == "show":
        return sparkline.render(answer)
    if command == "export":
        return json.dumps(answer, ensure_ascii=False, indent=2) + "\n"
    if command == "help":
        return "".join(f"{name:<14} {text}\n" for name, text in answer.items())
    if command == "start deploy":
        return f"Starting deploy, now silenced{_of(answer)}: {values.duration(answer['for_s'])}\n"
    if command in ("finish deploy", "stop deploy"):
        return f"Finished deploy, watching again{_of(answer)}\n"
    if command == "reload":
        return _reloaded(answer)
    if command in ("unmonitor", "monitor"):
        return f"{command}: {', '.join(answer['names'])}\n"
    return f"{answer}\n"


def _of(answer: Any) -> str:
    return f" ({', '.join(answer['names'])})" if answer["names"] else ""


def _reloaded(answer: Any) -> str:
    lines = [f"{what} {name}" for what in ("added", "changed", "removed") for name in answer[what]]
    if answer["host"]:
        lines.append("changed host")
    lines = lines or ["nothing changed"]
    return "\n".join(["Reloaded", *lines, *answer["warnings"]]) + "\n"
