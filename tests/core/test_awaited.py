"""What the first cycle waits for."""

from __future__ import annotations

from inspect_agent.core.awaited import Awaited


def test_it_is_called_when_all_have_come() -> None:
    """Once, also when more is expected later; what nobody expected does not matter."""
    calls: list[int] = []
    awaited = Awaited(lambda: calls.append(1))
    awaited.expect(["nginx", "worker@*"])
    awaited.came("redis")
    awaited.came("nginx")
    awaited.expect(["worker@1"])
    awaited.came("worker@*")
    assert calls == []
    awaited.came("worker@1")
    awaited.expect(["worker@2"])
    awaited.came("worker@2")
    assert calls == [1]
