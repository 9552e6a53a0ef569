"""What holds for all tests: how hypothesis searches, and that acceptance tests are asked for."""

from __future__ import annotations

import pytest
from hypothesis import settings

# a loaded machine must not fail a test: no time limits; what fails prints how to run it again
settings.register_profile("default", deadline=None, print_blob=True)
settings.load_profile("default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the acceptance tests out, unless `-m` says which to run."""
    if config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("acceptance")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
