"""The agent with a method that raises: `faulty_agent.py FAULT -c DIR -s SOCKET -l LEVEL`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from inspect_agent.core.main import main
from inspect_agent.managers import detect
from inspect_agent.managers.pidfile import Pidfile
from inspect_agent.sources import load
from inspect_agent.sources.polled import Polled


def boom(*_: Any) -> Any:
    """Does what no part should."""
    raise RuntimeError("boom")


FAULTS: Mapping[str, tuple[Any, str]] = {
    "source names": (load.Load, "names"),
    "source open": (load.Load, "open"),
    "source read": (load, "_values"),
    "source close": (Polled, "close"),
    "manager detection": (detect, "runs"),
    "manager look": (Pidfile, "look"),
    "manager glance": (Pidfile, "glance"),
    "manager command": (Pidfile, "command"),
}

if __name__ == "__main__":
    _, fault, _, root, _, socket, _, level = sys.argv
    setattr(*FAULTS[fault], boom)
    sys.exit(main([root, socket, "", level]))
