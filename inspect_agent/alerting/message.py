"""Events → the message that people read: subject, body and short form.

[web-1] CRITICAL sidekiq: memory:rss > 500m for 2 cycles (612.40m)
[web-1] 3 events: CRITICAL sidekiq: not running; …
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Template

from inspect_agent import clock
from inspect_agent.alerting.digest import Row
from inspect_agent.alerting.phrases import HEADLINES, NEXT
from inspect_agent.alerting.text import lines, one_line
from inspect_agent.model.event import Event
from inspect_agent.model.message import Message

_TEMPLATES = Path(__file__).parent / "templates"
_METRIC = re.compile(r'"?((?<=")[^"]+|[^\s"]+)"? [<>=!]')
_LABEL_WIDTH = 12  # of templates/event.txt: where the values of its table begin


def compose(host: str, row: Row) -> Message:
    """The message of a row. Raises OSError when a template cannot be read."""
    host = one_line(host)
    short = [headline(event) for event in row.events]
    return Message(
        id=row.message_id,
        host=host,
        sent_at=row.at,
        subject=_subject(host, short),
        body=_body(host, row.events),
        short="\n".join(short),
        events=row.events,
    )


def headline(event: Event) -> str:
    """`CRITICAL sidekiq: memory:rss > 500m (612.40m)`; its first word is in capitals."""
    said = Template(HEADLINES.get(event.kind, "$rule")).substitute(rule=event.rule or event.text)
    value = f" ({event.value})" if event.value else ""
    return one_line(f"{label(event)} {name(event)}: {said}{value}")


def label(event: Event) -> str:
    """CRITICAL, WARNING, INFO, or RECOVERED where something is over."""
    return "RECOVERED" if event.resolves else event.severity.upper()


def name(event: Event) -> str:
    """The target as commands call it: `sidekiq` for `service sidekiq`."""
    kind, _, own = event.target.partition(" ")
    return one_line(own or kind)


def _subject(host: str, short: list[str]) -> str:
    if len(short) == 1:
        return one_line(f"[{host}] {short[0]}")
    return one_line(f"[{host}] {len(short)} events: {'; '.join(short)}")


def _body(host: str, events: tuple[Event, ...]) -> str:
    blocks = [_block(host, event) for event in events]
    if len(blocks) == 1:
        return blocks[0]
    return _template("digest.txt").substitute(
        count=len(blocks), host=host, events="\n\n".join(blocks)
    )


def _block(host: str, event: Event) -> str:
    """The template of an event, without the lines that have nothing to say."""
    values = {
        "line": headline(event),
        "text": one_line(event.text, 1000),
        "host": host,
        "service": name(event) if event.target.startswith("service ") else "",
        "probe": name(event) if event.target.startswith("probe ") else "",
        "rule": one_line(event.rule),
        "value": one_line(event.value),
        "when": clock.local_text(event.at),
        "detail": f"\n{' ' * _LABEL_WIDTH}".join(lines(event.detail)),
        "next": _next(event),
    }
    template = _template("event.txt").template.splitlines()
    silent = {f"${key}" for key, value in values.items() if not value}
    spoken = [line for line in template if not line.strip() or line.split()[-1] not in silent]
    return Template("\n".join(spoken)).substitute(values)


def _next(event: Event) -> str:
    """A command to type; the metric is shown where the rule begins with one."""
    said = NEXT.get(event.kind)
    metric = _METRIC.match(event.rule)
    if said or not metric:
        return said or "inspectctl status"
    return f"inspectctl show {shlex.quote(name(event))} {shlex.quote(one_line(metric[1]))}"


def _template(file: str) -> Template:
    return Template((_TEMPLATES / file).read_text(encoding="utf-8").rstrip("\n"))
