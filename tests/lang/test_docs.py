"""docs/language.md says what the language does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inspect_agent.lang.params import EVERY, SERVICE
from inspect_agent.lang.planned import PLANNED
from inspect_agent.lang.settings import SETTINGS
from inspect_agent.lang.units import SUFFIXES
from inspect_agent.registry import built_in
from tests.lang.compiling import compiled, problems

DOCS = (Path(__file__).parent.parent.parent / "docs" / "language.md").read_text("utf-8")
EXAMPLES = (
    """
    check service sidekiq
      if memory:rss > 500m then restart
      if cpu:user > 60% for 2 cycles then restart
    """,
    """
    check service mysql with username root, socket /var/run/mysqld/mysqld.sock
      if memory(rss) > 2g then restart
      if mysql:Queries > 1k/sec for 3 cycles then alert
      if mysql:Slow_queries > 2/sec then alert ops
    """,
    """
    check host with owner ops
      if swap > 20% then alert
      if load:5 > 10 then alert
      if disk:/ > 90% then alert
    """,
    """
    check service sidekiq@* with owner ops, release /var/www/app/current, grace 1m
      if failed for 2 cycles then start, alert
      if memory:total_rss > 1.5g until < 1.2g for 3 of 5 cycles then signal TSTP, restart, alert ops as critical
      if sidekiq:latency > 1m and sidekiq:busy < 1 for 4 cycles then restart, alert
      if stale for 4 cycles then restart
    """,  # noqa: E501  # as it is written where the language is agreed on
    """
    check probe shop with url "https://shop.example/up", contains "ok", timeout 5s
      if http fails for 2 cycles then restart puma, alert
      if http:seconds > 2 for 3 of 5 cycles then alert as warning
      if tls:days < 14 then alert
    """,
)


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading: the first cell, and the words in the second."""
    part = DOCS.partition(heading)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+?) \| (.+?) \|", part, re.MULTILINE)
    return {name: re.findall(r"`([^`]+)`", cell) for name, cell in rows if set(name) != {"-"}}


def test_the_words_to_come() -> None:
    """The page lists exactly the words that the compiler calls not in this version."""
    rows = table("## Not in this version")
    rows.pop("kind")
    assert rows == {kind: list(words) for kind, words in PLANNED.items()}


def test_every_setting_and_parameter_is_described() -> None:
    """The page has a row for each setting, parameter and channel, and for nothing else."""
    settings = {name.strip("`") for name in table("| setting |")}
    assert set(SETTINGS) <= settings
    keys = set(re.findall(r"`(\w+)[^`]*`", DOCS.partition("| parameter |")[2].partition("\n\n")[0]))
    assert set(SERVICE) | set(EVERY) <= keys
    channels = {name.strip("`") for name in table("| channel |")}
    assert set(built_in("channels")) <= channels


def test_every_unit_is_described() -> None:
    """The page names the one-letter suffixes of every unit."""
    amounts = DOCS.partition("**Amounts**")[2].partition("**Holds**")[0]
    suffixes = {name for sizes in SUFFIXES.values() for name in sizes if len(name) == 1}
    assert {name for name in suffixes - {"b"} if f"`{name}`" not in amounts} == set()


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_agreed_examples(number: int) -> None:
    """Each is read; what this version lacks is told as such, and nothing else is."""
    made = compiled(EXAMPLES[number], "check service puma")
    assert all(problem.message.startswith("not in this version") for problem in made.problems)
    assert (made.config is not None) == (number in (0, 2, 4)), problems(made)


def test_the_pages_own_examples() -> None:
    """The checks and statements that the page shows are sound as they stand."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", DOCS, re.MULTILINE)
    checks = [block for block in blocks if block.strip().startswith("check ")]
    assert len(checks) == 1
    assert problems(compiled(checks[0])) == ""
