"""How problems are shown."""

from __future__ import annotations

from inspect_agent.lang.problems import Near, Problem, listed, nearest, render, shown

PROBLEM = Problem(
    "services.d/redis.inq",
    3,
    6,
    "unknown metric memory:rsss",
    "did you mean memory:rss?",
    source="  if memory:rsss > 500m then restart",
)


def test_place_line_caret_and_hint() -> None:
    """A problem shows its place, the line, a caret below the word, and the way out."""
    assert render(PROBLEM) == (
        "services.d/redis.inq:3:6: unknown metric memory:rsss\n"
        "      if memory:rsss > 500m then restart\n"
        "         ^\n"
        "    did you mean memory:rss?"
    )


def test_a_warning_says_so() -> None:
    """A warning is marked, and a problem with a whole file has no line."""
    problem = PROBLEM._replace(severity="warning", line=0, column=0, source="", hint="")
    assert render(problem) == "services.d/redis.inq: warning: unknown metric memory:rsss"


def test_a_long_line_is_cut_around_the_caret() -> None:
    """A line of a million characters is shown as the hundred around the caret."""
    source = "a" * 500_000 + "X" + "b" * 500_000
    _, line, caret = render(PROBLEM._replace(column=500_001, source=source, hint="")).split("\n")
    assert line == "    …" + "a" * 50 + "X" + "b" * 49 + "…"
    assert caret == "    " + " " * 51 + "^"


def test_the_caret_stands_below_wide_letters_and_tabs() -> None:
    """Padding is as wide as what stands before the caret, combining marks are of no width."""
    _, line, caret = render(PROBLEM._replace(column=7, source="\tサe\u0301b X", hint="")).split(
        "\n"
    )
    assert line == "    \tサe\u0301b X"
    assert caret == "    \t  " + " " * 3 + "^"


def test_nothing_from_outside_reaches_the_terminal() -> None:
    """Escape sequences and the like are replaced, in words and in lines."""
    assert shown("a\x1b[31mb\u202ec\nd\udcff") == "a�[31mb�c�d�"
    assert "\x1b" not in render(PROBLEM._replace(source="x \x1b[31m y"))
    assert shown("x" * 100) == "x" * 60 + "…"


def test_nearest() -> None:
    """The nearest word is the one that looks like it, in whatever case, or none."""
    assert nearest(Near("memory:rsss", ["memory:rss", "memory:total_rss"])) == "memory:rss"
    assert nearest(Near("IF", ["if", "check"])) == "if"
    assert nearest(Near("xyzzy", ["if", "check"])) == ""
    assert nearest(Near("x" * 1_000_000, ["x" * 999_999])) == ""


def test_listed() -> None:
    """Words are listed as people do it."""
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        *("", "a", "a or b", "a, b or c"),
    ]
