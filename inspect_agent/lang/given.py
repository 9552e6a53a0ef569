"""Values of inspect.conf, which may lie in a file of their own: `password "file:/etc/secret"`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, Union

from inspect_agent.lang.problems import Read, Wrong

FileValue = Callable[[str], Union[str, Wrong]]
"""Gives what the file of this path holds, without its last line break."""

_IN_FILE = "file:"
T = TypeVar("T")


def given(text: str, value_of: FileValue, read: Read[T]) -> T | Wrong:
    """The value that was written, or that lies in the file which was named instead."""
    if not text.startswith(_IN_FILE):
        return read(text)
    content = value_of(text.removeprefix(_IN_FILE))
    return content if isinstance(content, Wrong) else read(content)
