"""Folders of services for runsvdir and s6-svscan, in a small machine."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from tests.integration.daemons import WORKERS
from tests.integration.following import GUARD_S

A = TypeVar("A")
Files = Mapping[str, str]
"""The files of one folder by their names; those that begin with #! can be run."""

VISIBLE = (Path(__file__).parents[2], Path(sys.prefix), Path(sys.base_prefix))
"""What an agent in the machine needs: this checkout and this Python."""

SLEEP = "#!/bin/sh\nexec sleep 1000\n"
STUBBORN = "#!/bin/sh\ntrap '' TERM\n> ./ready\nwhile :; do sleep 1000; done\n"
RELOADS = "#!/bin/sh\ntrap '> ./done' HUP\n> ./ready\nwhile :; do sleep 0.05; done\n"
UNTIL_TOLD = "#!/bin/sh\nread line < ./go\n"
GIVE_UP = "#!/bin/sh\nexit 125\n"


def sleeping(*names: str) -> dict[str, Files]:
    """The folders of services that sleep."""
    return {name: {"run": SLEEP} for name in names}


def written(place: str, services: Mapping[str, Files]) -> str:
    """A shell's script that writes the folders of these services."""
    lines = [f"mkdir -p {place}"]
    for name, files in services.items():
        folder = shlex.quote(f"{place}/{name}")
        lines.append(f"mkdir {folder}")
        for file, text in files.items():
            lines.append(f"printf %s {shlex.quote(text)} > {folder}/{file}")
            if text.startswith("#!"):
                lines.append(f"chmod 755 {folder}/{file}")
    # runsvdir puts off a folder that has just changed
    lines.append(f"touch -d '1 minute ago' {place}")
    return "\n".join(lines)


def until(ask: Callable[[], A], holds: Callable[[A], object]) -> A:
    """Asks a few times a second until this holds of the answer; the answer."""
    guard = time.monotonic() + GUARD_S
    while not holds(answer := ask()):
        assert time.monotonic() < guard, f"never true; the last answer: {answer!r}"
        time.sleep(0.02)
    return answer


def leaky(*arguments: str) -> str:
    """The run script of a leaky service."""
    command = [sys.executable, "-I", "-S", str(WORKERS / "leaky.py"), *arguments]
    return f"#!/bin/sh\nexec {shlex.join(command)}\n"
