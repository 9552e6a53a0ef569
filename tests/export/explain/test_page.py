"""What is explained of a file, and of a line of it."""

from __future__ import annotations

import pytest

from inspect_agent.core.repairs.queue import MOST_AT_ONCE
from inspect_agent.export.explain.repairs import AT_ONCE
from inspect_agent.export.explain.settings import SETTINGS
from inspect_agent.lang import settings
from tests.export.explain.explaining import said

RULES = """\
# of the service
check service sidekiq with
    owner ops, grace 1m
  if memory:rss > 500m
      for 2 cycles then restart, alert

  # and of the machine
check host
  if load:5 > 1 then alert if load:5 > 2 then alert
check service redis
check host if load:5 > 3 then alert
"""
SIDEKIQ, FAT, REPAIRS = (
    "a.inq:2  check service sidekiq",
    "a.inq:4  if memory:rss > 500m for 2 cycles",
    "a.inq:2  repairs of sidekiq",
)
HOST, BUSY, BUSIER = "a.inq:8  check host", "a.inq:9  if load:5 > 1", "a.inq:9  if load:5 > 2"
REDIS = "a.inq:10  check service redis"
HOST_AGAIN, BUSIEST = "a.inq:11  check host", "a.inq:11  if load:5 > 3"
EVERY = "In every rule"


def titles(text: str) -> list[str]:
    """What stands at the margin."""
    return [line for line in text.splitlines() if line and not line.startswith(" ")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (None, [SIDEKIQ, FAT, HOST, BUSY, BUSIER, REDIS, HOST_AGAIN, BUSIEST, REPAIRS, EVERY]),
        (2, [SIDEKIQ, FAT, REPAIRS, EVERY]),
        (3, [SIDEKIQ, FAT, REPAIRS, EVERY]),
        (4, [FAT, REPAIRS, EVERY]),
        (5, [FAT, REPAIRS, EVERY]),
        (8, [HOST, BUSY, BUSIER, EVERY]),
        (9, [BUSY, BUSIER, EVERY]),
        (10, [REDIS]),
        (11, [HOST_AGAIN, BUSIEST, EVERY]),
    ],
)
def test_what_a_line_stands_for(line: int | None, expected: list[str]) -> None:
    """A check with its rules, or the rules that cover the line; and what they rest on."""
    assert titles(said(RULES, line)) == expected


def test_a_service_that_only_others_repair() -> None:
    """Its check tells how it is repaired, whoever wants it."""
    rules = "check service a\ncheck service b\n  if down then restart a\n"
    assert titles(said(rules, 1)) == ["a.inq:1  check service a", "a.inq:1  repairs of a"]
    assert titles(said(rules, 3)) == ["a.inq:3  if down", "a.inq:1  repairs of a", EVERY]


def test_instances() -> None:
    """What is done to one instance is said where its template's check is."""
    rules = "check service w@*\n  if down then start\ncheck service b\n  if down then stop w@2\n"
    repairs = "a.inq:1  repairs of an instance of w@*"
    assert titles(said(rules, 4)) == ["a.inq:4  if down", repairs, EVERY]


def test_a_file_without_a_check() -> None:
    """Says so."""
    assert said("# nothing\n") == "a.inq  no check\n"


def test_every_setting_has_its_words() -> None:
    """In the order in which the language knows them."""
    assert tuple(SETTINGS) == tuple(settings.SETTINGS)


def test_so_many_at_once() -> None:
    """The core says so."""
    assert AT_ONCE == MOST_AT_ONCE
