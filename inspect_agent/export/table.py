"""`status` as people read it, in Inspeqtor's layout; made of the agent's own status dict.

Inspect Agent 0.1.0, uptime: 47m47s, pid: 3685

Host: ip-10-0-0-7
  cpu                                 0.8%
! swap                                48.0%           20%

Service: sidekiq [Up/22745] systemd
  memory:rss                          131.42m         500m

Probe: shop
  http:seconds                        0.21s           2s
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from inspect_agent import clock
from inspect_agent.export import values
from inspect_agent.typed import Any, Literal

Style = Literal["good", "bad", "title", "dim"]
Paint = Callable[[Style, str], str]
_FILES_NAMED = 5
_ANSI: dict[Style, str] = {"good": "32", "bad": "31;1", "title": "1", "dim": "2"}


def plain(style: Style, text: str) -> str:
    """No colour: for files, pipes and `nc`."""
    return text


def colour(style: Style, text: str) -> str:
    """For a terminal: ECMA-48 SGR sequences."""
    return f"\x1b[{_ANSI[style]}m{text}\x1b[0m"


def render(status: Mapping[str, Any], paint: Paint) -> str:
    """The whole table, with a final newline; what a process may call itself does no harm."""

    def safe(style: Style, text: str) -> str:
        return paint(style, values.printable(text))

    return "\n".join(_lines(status, safe)) + "\n"


def _lines(status: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    uptime = values.duration(status["uptime_s"])
    yield f"Inspect Agent {status['version']}, uptime: {uptime}, pid: {status['pid']}"
    yield from (paint("bad", line) for line in _notes(status))
    yield ""
    yield f"Host: {paint('title', status['host']['name'])}"
    yield from (f"  {paint('dim', note)}" for note in _actions(status["host"]))
    yield from _rows(status["host"], paint)
    for service in status["services"]:
        yield ""
        manager = f" {paint('dim', service['manager'])}" if service["manager"] else ""
        yield f"Service: {paint('title', service['name'])} {_state(service, paint)}{manager}"
        yield from (f"  {paint('dim', note)}" for note in _remarks(service))
        yield from _rows(service, paint)
    for probe in status["probes"]:
        yield ""
        yield f"Probe: {paint('title', probe['name'])}"
        yield from (f"  {paint('dim', note)}" for note in _actions(probe))
        yield from _rows(probe, paint)


def _notes(status: Mapping[str, Any]) -> Iterator[str]:
    """What an operator must know before reading on."""
    for window in status["silences"]:
        what = f" ({window['name']})" if window["name"] else ""
        yield f"Silenced until: {clock.local_text(window['until'])}{what}"
    for name in status["unmonitored"]:
        yield f"Not monitored: {name}"
    if status["no_repairs_until"]:
        until = clock.local_text(status["no_repairs_until"])
        yield f"No repairs until: {until} (inspectctl finish deploy, if nothing is being deployed)"
    yield from (_template(item) for item in status["templates"] if _is_odd(item))
    if status["not_durable"]:
        yield f"Not durable: {status['not_durable']}"
    yield from status["problems"]
    if status["not_loaded"]:
        yield _not_loaded(status["not_loaded"])
    for lane in status["alerts"]:
        yield _alert(lane)


def _not_loaded(files: Sequence[Mapping[str, Any]]) -> str:
    """Names the first few; `inspectctl export` has them all."""
    named = [f"{one['file']} ({one['how']})" for one in files[:_FILES_NAMED]]
    if len(files) > _FILES_NAMED:
        named.append(f"and {len(files) - _FILES_NAMED} more")
    return f"Not loaded yet: {', '.join(named)}; inspectctl reload does it, or says why not"


def _is_odd(template: Mapping[str, Any]) -> bool:
    return bool(template["trouble"]) or not template["instances"]


def _template(template: Mapping[str, Any]) -> str:
    known = (
        "its instances may be others by now" if template["instances"] else "no instance is loaded"
    )
    trouble = f" ({template['trouble']})" if template["trouble"] else ""
    return f"{template['name']}: {known}{trouble}"


def _alert(lane: Mapping[str, Any]) -> str:
    text = f"Alerts for {lane['destination']}: {lane['waiting']} waiting"
    if lane["lost"]:
        text += f", {lane['lost']} lost"
    if lane["last_error"]:
        text += f" ({lane['last_error']})"
    if lane["next_try"]:
        text += f", next try {clock.local_text(lane['next_try'])}"
    return text


def _state(service: Mapping[str, Any], paint: Paint) -> str:
    if not service["answers"]:
        return paint("bad", "[Unknown]")
    if service["state"] == "up":
        pid = f"/{service['pid']}" if service["pid"] else ""
        return paint("good", f"[Up{pid}]")
    return paint("bad", f"[{service['state'].capitalize()}]")


def _remarks(service: Mapping[str, Any]) -> Iterator[str]:
    if service["state"] != "up" or not service["answers"]:
        yield service["reason"] or "no reason given"
    if service["crash_loop"]:
        yield "crash loop: it keeps dying"
    yield from _actions(service)
    if service.get("wrapper"):
        yield service["wrapper"]
    yield from _freshness(service.get("freshness", ()))


def _freshness(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in found:
        if one["holds"] is None:
            yield f"nobody knows whether it is {one['word']}: {one['why']}"
        elif one["holds"]:
            yield f"{one['word']}: {one['why']}"


def _actions(target: Mapping[str, Any]) -> Iterator[str]:
    if target["repair"]:
        yield f"under repair: {target['repair']}"
    if target["paused_s"]:
        yield f"repairs paused for {values.duration(target['paused_s'])}: the budget is spent"
    elif target["refused"]:
        yield target["refused"]


def _rows(target: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    for row in target["metrics"]:
        thresholds = ", ".join(row["thresholds"])
        yield _row(row["metric"], row["text"], thresholds, row["triggered"], paint)
    for rule in target["rules"]:
        if not rule["has_metrics"]:
            triggered = rule["phase"] == "triggered"
            known = target.get("answers", True) and rule.get("known", True)
            otherwise = "no" if known else "unknown"
            yield _row(rule["rule"], "yes" if triggered else otherwise, "", triggered, paint)


def _row(name: str, value: str, thresholds: str, triggered: bool, paint: Paint) -> str:
    line = f"{'!' if triggered else ' '} {name:<35} {value:<15} {thresholds}".rstrip()
    return paint("bad", line) if triggered else values.printable(line)
