"""Services that need each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.lang.references import circles

NAMES = st.sampled_from("abcdef")


def test_a_circle_is_found_once() -> None:
    """The pair that closes it is named, and what leads into it is not part of it."""
    needs = {"a": ("b",), "b": ("c", "d"), "c": ("a",), "d": (), "e": ("a",)}
    assert list(circles(needs)) == [("c", "a")]


def test_no_circle() -> None:
    """Two ways to one service are no circle, nor is a service that needs itself or is unknown."""
    needs = {"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ("d", "x")}
    assert list(circles(needs)) == []


def test_a_long_chain() -> None:
    """A chain of any length is walked without recursion."""
    needs = {f"s{i}": (f"s{i + 1}",) for i in range(50_000)}
    assert list(circles({**needs, "s50000": ("s0",)})) == [("s50000", "s0")]


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=4)))
def test_circles_are_found_where_there_are_some(needs: dict[str, list[str]]) -> None:
    """There is a pair just where some service reaches itself through another."""
    assert any(circles(needs)) == any(_returns(needs, name) for name in needs)


def _returns(needs: dict[str, list[str]], name: str) -> bool:
    """Whether a walk from a service, not stepping on the spot, comes back to it."""
    seen: set[str] = set()
    ahead = [other for other in needs[name] if other != name]
    while ahead:
        other = ahead.pop()
        if other == name:
            return True
        if other not in seen:
            seen.add(other)
            ahead += [following for following in needs.get(other, ()) if following != other]
    return False
