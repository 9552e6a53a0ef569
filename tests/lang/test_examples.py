"""The examples by which the language was agreed on."""

from __future__ import annotations

import pytest

from tests.lang.compiling import compiled, problems

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


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_agreed_examples(number: int) -> None:
    """Each is read; what this version lacks is told as such, and nothing else is."""
    made = compiled(EXAMPLES[number], "check service puma")
    assert all(problem.message.startswith("not in this version") for problem in made.problems)
    assert (made.config is not None) == (number in (0, 2, 4)), problems(made)
    assert made.warnings == ()
