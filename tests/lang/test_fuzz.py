"""Golden files with random edits: whatever comes of it is a configuration or problems."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.model import wire
from tests.lang.compiling import compiled, problems

GOLDEN = Path(__file__).parent.parent / "golden"


def _texts(suffix: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(GOLDEN.rglob(f"*{suffix}"))]


PIECES = st.sampled_from(
    [piece for text in _texts(".inq") + _texts(".conf") for piece in text.split()]
) | st.text(alphabet='if \n"#,()<>=\\%/.:5mé\ufeff', max_size=3)
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 20), PIECES), max_size=6)


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for at, length, piece in edits:
        start = at % (len(text) + 1)
        text = text[:start] + piece + text[start + length :]
    return text


def _check(rules: str, conf: str, file: str) -> None:
    made = compiled(rules, conf=conf, file=file)
    assert (made.config is None) == bool(made.problems)
    assert all(problem.message and problem.line for problem in made.problems)
    problems(made).encode()
    assert made.config is None or wire.from_text(wire.to_text(made.config)) == made.config


RULES = st.builds(_edited, st.sampled_from(_texts(".inq")), EDITS)
CONFS = st.builds(_edited, st.sampled_from(_texts(".conf")), EDITS)
FILES = st.sampled_from(["inspect.conf", "inspeqtor.conf"])


@given(RULES, CONFS, FILES)
@settings(max_examples=300)
def test_edited_files(rules: str, conf: str, file: str) -> None:
    """Every problem has a place and a message, and every configuration crosses a pipe whole."""
    _check(rules, conf, file)


@pytest.mark.acceptance
@pytest.mark.timeout(6000)
@given(RULES, CONFS, FILES)
@settings(max_examples=100_000)
def test_edited_files_for_long(rules: str, conf: str, file: str) -> None:
    """The same for minutes."""
    _check(rules, conf, file)
