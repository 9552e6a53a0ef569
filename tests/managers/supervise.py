"""Folders of services as their supervisors leave them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def read(pipe: Path) -> Iterator[None]:
    """A pipe that somebody reads meanwhile."""
    pipe.parent.mkdir(parents=True, exist_ok=True)
    if not pipe.exists():
        os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(held)
