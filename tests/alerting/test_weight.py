"""What may be imported where: the core and the compile worker stay light, notify until it sends."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("apprise", "requests", "ssl", "smtplib", "email", "asyncio", "dataclasses", "logging")


@pytest.mark.parametrize(
    "imports",
    [
        "import inspect_agent.alerting.route, inspect_agent.alerting.digest",
        "from inspect_agent import registry\n"
        "[registry.load(where).params for where in registry.built_in('channels').values()]",
        "import inspect_agent.workers.notify",
    ],
    ids=["core", "compile", "notify"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(imports: str) -> None:
    """Routes, digests, declarations of channels and a worker without work import none of it."""
    script = f"{imports}\nimport sys\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True)
    assert done.stdout.split() == []
