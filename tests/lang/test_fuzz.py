"""Golden files with random edits: whatever comes of it is a configuration or problems."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.model import wire
from tests.lang.compiling import compiled, problems
from tests.lang.edited import CONFS, RULES

LONG_S = 600.0
FILES = st.sampled_from(["inspect.conf", "inspeqtor.conf"])


def _check(rules: str, conf: str, file: str) -> None:
    made = compiled(rules, conf=conf, file=file)
    assert (made.config is None) == bool(made.problems)
    assert all(problem.message and problem.line for problem in made.problems)
    problems(made).encode()
    assert made.config is None or wire.from_text(wire.to_text(made.config)) == made.config


@given(RULES, CONFS, FILES)
@settings(max_examples=300)
def test_edited_files(rules: str, conf: str, file: str) -> None:
    """Every problem has a place and a message, and every configuration crosses a pipe whole."""
    _check(rules, conf, file)


@pytest.mark.acceptance
@pytest.mark.timeout(6000)
def test_edited_files_for_long() -> None:
    """The same for ten minutes."""
    some = settings(max_examples=5000)(given(RULES, CONFS, FILES)(_check))
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        some()
