"""Which statement stands at a line."""

from __future__ import annotations

from inspect_agent.lang.statements import Statement, above, at, called, read

RULES = """\
\ufeff# a comment

check service "two
 lines" with owner ops
  if down
    then alert  # a comment

check
  host check probe shop
check jobs
  backup happens every
    day
"""
TWO_LINES = Statement("service", "two\n lines", 3, 4)
DOWN = Statement("rule", "", 5, 6)
HOST = Statement("host", "", 8, 9)
SHOP = Statement("probe", "shop", 9, 9)
JOBS = Statement("jobs", "", 10, 12)
CONF = """\
set cycle_time
  5
send alerts via log
send alerts
  to "night shift" via email with to_email a@b, password "
  "
"""


def test_statements_of_rules() -> None:
    """From their first word to their last, which may be a quoted text of several lines."""
    assert read("inq", RULES) == (TWO_LINES, DOWN, HOST, SHOP, JOBS)


def test_statements_of_inspect_conf() -> None:
    """A setting has its name, a send its route."""
    assert read("conf", CONF) == (
        Statement("setting", "cycle_time", 1, 2),
        Statement("send", "", 3, 3),
        Statement("send", "night shift", 4, 6),
    )


def test_what_stands_at_a_line() -> None:
    """Nothing on empty lines and comments; several, where they share a line."""
    found = read("inq", RULES)
    assert [at(found, line) for line in range(1, 14)] == [
        *((), (), (TWO_LINES,), (TWO_LINES,), (DOWN,), (DOWN,), ()),
        *((HOST,), (HOST, SHOP), (JOBS,), (JOBS,), (JOBS,), ()),
    ]


def test_what_stands_above_a_line() -> None:
    """The last that is over there."""
    found = read("inq", RULES)
    assert [above(found, line) for line in (1, 3, 5, 7, 9, 99)] == [
        *(None, None, TWO_LINES, DOWN, DOWN, JOBS),
    ]


def test_how_they_are_called() -> None:
    """By their first words."""
    statements = (*read("inq", RULES), *read("conf", CONF))
    assert [called(statement) for statement in statements] == [
        "check service two\ufffd lines",
        "a rule",
        "check host",
        "check probe shop",
        "check jobs",
        "set cycle_time",
        "send alerts",
        "send alerts night shift",
    ]


def test_an_empty_file() -> None:
    """Has no statement."""
    assert read("inq", "# nothing") == ()
