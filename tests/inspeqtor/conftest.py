"""What the tests of Inspeqtor's defects borrow: a story's stage, and the real agent's things."""

from __future__ import annotations

from tests.core.scenarios.conftest import stage
from tests.integration.agent.conftest import workers
from tests.integration.conftest import machine

__all__ = ["machine", "stage", "workers"]
