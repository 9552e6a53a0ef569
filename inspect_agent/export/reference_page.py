"""What can be measured, as a page of Markdown: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from inspect_agent.export.reference import KINDS, SHARE, bounds, kind, kinds
from inspect_agent.lang.reference import Entry, Section

_HEAD = """\
# Metrics

What a rule may compare. `inspectctl metrics` shows it on a terminal, `inspectctl metrics --format
markdown` writes this page, both from what the sources declare: do not edit it. How the figures are
had, and what exactly they count, is in [sources.md](sources.md); how rules are written, in
[language.md](language.md#rules).
"""


def page(sections: Sequence[Section]) -> str:
    """The whole page, with a final newline."""
    return "\n".join([_HEAD, *_words(sections), *_body(sections)])


def _words(sections: Sequence[Section]) -> Iterator[str]:
    """What the words of the tables mean."""
    yield from _table(("kind", "is"), ((kind, KINDS[kind]) for kind in kinds(sections)))
    entries = [entry for section in sections for entry in section.entries]
    suffixes = {entry.metric.unit: entry.suffixes for entry in entries}
    rows = ((unit, " ".join(f"`{s}`" for s in some) or "none") for unit, some in suffixes.items())
    yield from _table(("unit", "suffixes"), rows)
    yield f"Suffixes may also be written out (`kb`, `minutes`). {SHARE}.\n"


def _body(sections: Sequence[Section]) -> Iterator[str]:
    for scope, some in groupby(sections, lambda section: section.family.scope):
        yield f"## check {scope}\n"
        for section in some:
            yield f"### {section.family.name}: {section.family.help}\n"
            yield f"From {section.family.origin}.\n"
            yield from _table(("metric", "unit", "kind", "what it is"), map(_row, section.entries))
            yield from _params(section)
            yield from _example(section)


def _row(entry: Entry) -> tuple[str, ...]:
    metric = entry.metric
    return (
        f"`{entry.written}`",
        metric.unit,
        metric.kind,
        "; ".join((metric.help, *bounds(metric))),
    )


def _params(section: Section) -> Iterator[str]:
    params = section.family.params
    if params:
        rows = ((f"`{param.name}`", kind(param), param.help) for param in params)
        yield from _table(("parameter", "value", "what it is"), rows)


def _example(section: Section) -> Iterator[str]:
    for entry in section.entries[:1]:
        yield f"    {section.check}\n      {entry.rule}\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield "|" + "---|" * len(head)
    yield from map(_line, rows)
    yield ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
