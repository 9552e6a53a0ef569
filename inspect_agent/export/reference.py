"""What can be measured, as text and as JSON; export/reference_page.py makes a page of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from inspect_agent.lang.reference import Entry, Section
from inspect_agent.lang.units import canonical
from inspect_agent.model.metric import Kind, Metric, Param

KINDS: Mapping[Kind, str] = {
    "gauge": "compared as it is",
    "counter": "compared by its growth in the last cycle, or per second where /sec is written",
    "usage": "compared as a percentage of the time that passed, 100 for each core",
}
SHARE = "% of bytes is a share of the memory"


def overview(sections: Sequence[Section]) -> str:
    """A line for each metric, with a final newline, and what its words mean."""
    return "\n".join([*_overview(sections), *_legend(sections)]) + "\n"


def details(sections: Sequence[Section]) -> str:
    """All that is declared, with a final newline."""
    return "\n\n".join("\n".join(_details(section)) for section in sections) + "\n"


def as_json(sections: Sequence[Section]) -> str:
    """{"families": […]}, with a final newline; what has no upper bound has null there."""
    families = [_plain(section) for section in sections]
    return json.dumps({"families": families}, ensure_ascii=False, indent=2) + "\n"


def unit(entry: Entry) -> str:
    """`bytes b k m g t p %`."""
    return " ".join((entry.metric.unit, *entry.suffixes))


def kind(param: Param) -> str:
    """What the value of a parameter is: `port, default 3306`."""
    words = [" or ".join(param.choices) or param.kind]
    words += ["required"] if param.required else []
    words += ["several"] if param.many else []
    return ", ".join([*words, f"default {param.default}"] if param.default else words)


def kinds(sections: Sequence[Section]) -> Iterator[Kind]:
    """The kinds that there are among these."""
    found = {entry.metric.kind for section in sections for entry in section.entries}
    return (kind for kind in KINDS if kind in found)


def bounds(metric: Metric) -> Iterator[str]:
    """What one knows of its values beforehand."""
    if metric.most is not None:
        yield f"at most {canonical(metric.most, metric.unit)}"
    if metric.noisy:
        yield "it jumps: a single sample says little"


def _overview(sections: Sequence[Section]) -> Iterator[str]:
    entries = [entry for section in sections for entry in section.entries]
    name_width = max((len(entry.written) for entry in entries), default=0)
    unit_width = max((len(unit(entry)) for entry in entries), default=0)
    for scope, some in groupby(sections, lambda section: section.family.scope):
        yield f"check {scope}"
        for section in some:
            yield f"  {_title(section)}"
            for entry in section.entries:
                metric, cells = entry.metric, f"{entry.written:<{name_width}}  "
                cells += f"{unit(entry):<{unit_width}}  {metric.kind:<7}  {metric.help}"
                yield f"    {cells}"
        yield ""


def _legend(sections: Sequence[Section]) -> Iterator[str]:
    yield from (f"{kind:<7}  {KINDS[kind]}" for kind in kinds(sections))
    yield SHARE
    yield "`inspectctl metrics FAMILY` tells more, as does `inspectctl metrics memory:rss`"


def _title(section: Section) -> str:
    return f"{section.family.name}: {section.family.help}"


def _details(section: Section) -> Iterator[str]:
    yield section.check
    yield f"  {_title(section)}"
    yield f"  from {section.family.origin}"
    params = section.family.params
    width = max((len(param.name) for param in params), default=0)
    yield from (f"  with {param.name:<{width}}  {kind(param)}: {param.help}" for param in params)
    for entry in section.entries:
        yield ""
        yield f"  {entry.written}"
        yield from (f"    {line}" for line in _lines(entry))


def _lines(entry: Entry) -> Iterator[str]:
    metric = entry.metric
    yield metric.help
    yield unit(entry)
    yield f"{metric.kind}: {KINDS[metric.kind]}"
    yield from bounds(metric)
    yield entry.rule


def _plain(section: Section) -> dict[str, Any]:
    family = section.family
    return {
        "scope": family.scope,
        "family": family.name,
        "help": family.help,
        "origin": family.origin,
        "check": section.check,
        "params": [param._asdict() for param in family.params],
        "metrics": [_plain_entry(entry) for entry in section.entries],
    }


def _plain_entry(entry: Entry) -> dict[str, Any]:
    return {
        "metric": entry.written,
        **entry.metric._asdict(),
        "any_name": entry.any_name,
        "suffixes": entry.suffixes,
        "rule": entry.rule,
    }
