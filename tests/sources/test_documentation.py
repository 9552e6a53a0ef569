from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from inspect_agent import registry
from inspect_agent.model.metric import MetricId
from inspect_agent.ports import Source

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"


def test_every_metric_is_documented_with_its_unit() -> None:
    """The page lists the metrics that there are, with their units, and no others."""
    assert set(_documented()) == set(_declared())


def _declared() -> Iterator[tuple[str, str]]:
    for where in registry.built_in("sources").values():
        source: Source = registry.load(where)()
        for family in source.families:
            for metric in family.metrics:
                yield str(MetricId(family.name, metric.name)), metric.unit
            if family.any_name is not None:
                yield f"{family.name}:MOUNT", family.any_name.unit


def _documented() -> Iterator[tuple[str, str]]:
    for line in PAGE.read_text().splitlines():
        cells = line.split("|")
        for metric in re.findall(r"`([^`]+)`", cells[1]) if len(cells) == 5 else []:
            yield metric, cells[2].split(",")[0].strip()
