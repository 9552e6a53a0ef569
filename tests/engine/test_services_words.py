"""`down` and `failed`, for every status a service can have."""

from __future__ import annotations

import pytest

from inspect_agent.engine.services import ServiceState, is_down, is_failed


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
