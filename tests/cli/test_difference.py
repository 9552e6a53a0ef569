"""Unified diffs between a text and its layout."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.cli.difference import difference

LINES = "".join(f"{number}\n" for number in range(1, 30))


@pytest.mark.parametrize(
    ("old", "new", "hunks"),
    [
        ("a\n", "a\n", ""),
        ("", "", ""),
        ("a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        ("\n \n", "", "@@ -1,2 +0,0 @@\n-\n- \n"),
        ("a\nb\n", "a\n\nb\n", "@@ -1,2 +1,3 @@\n a\n+\n b\n"),
        ("a\n\n\n\nb\n", "a\n\nb\n", "@@ -1,5 +1,3 @@\n a\n \n-\n-\n b\n"),
        ("\ufeffa\r\nb\r\n", "a\nb\n", "@@ -1,2 +1,2 @@\n-\ufeffa\r\n-b\r\n+a\n+b\n"),
        ("a b\nc\n", "a\nb c\n", "@@ -1,2 +1,2 @@\n-a b\n-c\n+a\n+b c\n"),
        (
            LINES.replace("\n5\n", "\n 5\n"),
            LINES,
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n- 5\n+5\n 6\n 7\n 8\n",
        ),
        (
            LINES.replace("\n5\n", "\n5\n\n").replace("\n12\n", "\n 12\n"),
            LINES,
            "@@ -3,14 +3,13 @@\n 3\n 4\n 5\n-\n 6\n 7\n 8\n 9\n 10\n 11\n"
            "- 12\n+12\n 13\n 14\n 15\n",
        ),
        (
            LINES.replace("\n5\n", "\n5\n\n").replace("\n13\n", "\n 13\n"),
            LINES,
            "@@ -3,7 +3,6 @@\n 3\n 4\n 5\n-\n 6\n 7\n 8\n"
            "@@ -11,7 +10,7 @@\n 10\n 11\n 12\n- 13\n+13\n 14\n 15\n 16\n",
        ),
    ],
)
def test_hunks(old: str, new: str, hunks: str) -> None:
    """Three lines around each change; changes that are near are shown together."""
    assert difference("x.inq", old, new) == f"--- x.inq\n+++ x.inq\n{hunks}"


def _patched(old: str, diff: str) -> str:
    """What patch(1) makes of the old text."""
    lines, at, made = re.findall(r"[^\n]*\n|[^\n]+", old), 0, []
    for hunk in re.split(r"^@@ ", diff, flags=re.MULTILINE)[1:]:
        head, _, body = hunk.partition("\n")
        found = re.fullmatch(r"-(\d+),(\d+) \+(\d+),(\d+) @@", head)
        assert found is not None
        start, length, new_start, new_length = map(int, found.groups())
        start -= length > 0
        made += lines[at:start]
        assert len(made) == new_start - (new_length > 0)
        edits = re.findall(r"([ +-])(.*\n)(\\ No newline at end of file\n)?", body)
        texts = [(sign, text[:-1] if unended else text) for sign, text, unended in edits]
        assert [text for sign, text in texts if sign != "+"] == lines[start : start + length]
        added = [text for sign, text in texts if sign != "-"]
        assert len(added) == new_length
        made += added
        at = start + length
    return "".join(made + lines[at:])


BLANKS = st.lists(
    st.sampled_from(["", " ", "\n", "\n", "\n\n", "\t", "\r\n", "\ufeff"]), max_size=3
)
SPACED = st.lists(st.tuples(st.sampled_from("abc,#"), BLANKS, BLANKS), max_size=40)


@given(SPACED, BLANKS, BLANKS)
def test_a_diff_makes_the_new_text(
    marks: list[tuple[str, list[str], list[str]]], first: list[str], second: list[str]
) -> None:
    """For any two texts that differ in white space, patching gives the second."""
    old = "".join(["".join(first), *(mark + "".join(blank) for mark, blank, _ in marks)])
    new = "".join(["".join(second), *(mark + "".join(blank) for mark, _, blank in marks)])
    diff = difference("x", old, new)
    assert _patched(old, diff) == new
    assert (old == new) == (diff == "--- x\n+++ x\n")


@given(st.text("ab \n", max_size=40), st.text("ab \n", max_size=40))
def test_any_two_texts(old: str, new: str) -> None:
    """The diff is right for others as well, if not as short as it could be."""
    assert _patched(old, difference("x", old, new)) == new
