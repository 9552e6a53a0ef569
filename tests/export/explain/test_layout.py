"""Lines of text."""

from __future__ import annotations

import pytest

from inspect_agent.export.explain.layout import EMPTY, WIDTH, Line, clipped, laid, listed


def test_lines_are_wrapped_below_their_beginning() -> None:
    """What does not fit goes on as far in, behind the mark if there is one."""
    long = "word " * 25
    assert laid([Line("Title", 0), EMPTY, Line(long.strip()), Line(long.strip(), 2, "1. ")]) == (
        "Title\n"
        "\n"
        f"  {('word ' * 19).strip()}\n"
        f"  {('word ' * 6).strip()}\n"
        f"    1. {('word ' * 18).strip()}\n"
        f"       {('word ' * 7).strip()}\n"
    )


def test_a_word_is_never_cut() -> None:
    """A long one gets a line of its own."""
    word = "x" * (WIDTH + 1)
    assert laid([Line(f"a {word} b")]) == f"  a\n  {word}\n  b\n"


def test_nothing_reaches_the_terminal_but_text() -> None:
    """What tells a terminal to do something is replaced, line breaks too."""
    assert laid([Line("a\x1b[2Jb\nc\u202ed")]) == "  a\ufffd[2Jb\ufffdc\ufffdd\n"


def test_what_is_too_long() -> None:
    """Is cut, and shows that it was."""
    assert (clipped("abc", 3), clipped("abcd", 3)) == ("abc", "abc…")


@pytest.mark.parametrize(
    ("items", "said"),
    [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")],
)
def test_lists(items: tuple[str, ...], said: str) -> None:
    """As people enumerate things."""
    assert listed(items) == said
    assert listed(items, "or") == said.replace(" and ", " or ")
