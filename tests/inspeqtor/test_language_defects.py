"""Defects of Inspeqtor 2.0 that are the language's: what a rule says, and what a mistake does."""

from __future__ import annotations

from inspect_agent.model.rule import Comparison
from tests.core.scenarios.stage import Stage
from tests.lang.compiling import compiled, config, problems, rules_of

GIB = 1024**3


def test_a_decimal_makes_the_file_vanish() -> None:
    """With `1.5g` in it Inspeqtor left out the whole file; here it is a gibibyte and a half."""
    (rule,) = rules_of("if memory:rss > 1.5g then alert")
    assert isinstance(rule.condition, Comparison)
    assert rule.condition.amount.value == 1.5 * GIB


def test_a_misspelt_metric_reads_0() -> None:
    """So `<` rules fired in Inspeqtor; here it is a mistake, told with its place and a guess."""
    made = compiled("check service x\n  if memory:rrs < 5m then restart\n")
    assert made.config is None
    assert problems(made) == (
        "a.inq:2:6: unknown metric memory:rrs\n"
        "      if memory:rrs < 5m then restart\n"
        "         ^\n"
        "    did you mean memory:rss?"
    )


def test_memory_in_percent_means_bytes(stage: Stage) -> None:
    """`memory:rss > 20%` was 20 bytes in Inspeqtor; here it is a fifth of the machine's 16 GiB."""
    stage.machine.add("redis")
    stage.begin("check service redis\n  if memory:rss > 20% then alert\n")
    stage.machine.grow("redis", 3000)
    stage.cycles(2)
    below = stage.story()
    stage.machine.grow("redis", 3500)
    stage.cycles(1)
    assert below == []
    assert stage.story() == ["30 default: RuleFailed redis memory:rss > 20%"]


def test_of_two_default_routes_the_first_wins_silently() -> None:
    """In Inspeqtor the second never got a message; here both do."""
    conf = "send alerts via log\nsend alerts via email with to_email ops@example.com\n"
    made = config(conf=conf)
    assert [(to.route, to.channel) for to in made.destinations] == [("", "log"), ("", "email")]
