"""`down` and `failed`, for every status a service can have."""

from __future__ import annotations

import pytest

from inspect_agent.engine.services import Seen, ServiceState, is_down, is_failed, step
from inspect_agent.model.observation import Status


@pytest.mark.parametrize(
    ("state", "down", "failed"),
    [
        (ServiceState(), None, None),
        (ServiceState("up"), False, False),
        (ServiceState("up", unanswered="timeout"), None, None),
        (ServiceState("down"), True, False),
        (ServiceState("down", was_up=True), True, False),
        (ServiceState("failed"), True, True),
        (ServiceState("failed", unanswered="timeout"), None, None),
        (ServiceState("starting"), True, False),
        (ServiceState("starting", was_up=True), True, False),
        (ServiceState("starting", returning=True), True, True),
        (ServiceState("absent"), True, False),
        (ServiceState("absent", was_up=True), True, True),
        (ServiceState("absent", was_up=True, unanswered="timeout"), None, None),
    ],
    ids=lambda value: str(value) if not isinstance(value, tuple) else "-".join(map(str, value)),
)
def test_down_and_failed(state: ServiceState, down: bool | None, failed: bool | None) -> None:
    """A stop is no failure; gone, given up or in a restart loop is; silence is neither."""
    assert (is_down(state), is_failed(state)) == (down, failed)


@pytest.mark.parametrize(
    ("before", "was_up", "meant", "after"),
    [
        ("up", True, False, "failed"),
        ("up", True, True, "down"),
        ("starting", True, False, "failed"),
        ("starting", False, False, "down"),
        ("failed", True, False, "failed"),
        ("failed", True, True, "failed"),
        ("down", True, False, "down"),
        ("absent", True, False, "down"),
        ("unknown", False, False, "down"),
    ],
)
def test_an_end_that_its_manager_cannot_explain(
    before: Status, was_up: bool, meant: bool, after: Status
) -> None:
    """It failed unless it was meant, and what failed has failed until it is up."""
    state = ServiceState(before, was_up=was_up)
    seen, _ = step(state, Seen("down", ambiguous=True), 1.0, expected=meant, meant=meant)
    assert seen.status == after


@pytest.mark.parametrize("before", ["up", "starting", "failed", "down", "absent", "unknown"])
def test_an_end_that_its_manager_explains(before: Status) -> None:
    """Its word counts, whoever asked for what."""
    for word in ("down", "failed"):
        seen, _ = step(ServiceState(before, was_up=True), Seen(word), 1.0, meant=True)
        assert seen.status == word
