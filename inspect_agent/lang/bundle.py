"""The last good configuration: all texts it was read from, in one JSON file.

It holds secrets, so its mode is 0600. It is replaced by rename(2): whoever reads it finds the old
one or the new one, also after a power cut.
"""

from __future__ import annotations

import json
import os
from typing import Any

from inspect_agent.lang.files import Text, Texts

_VERSION = 1
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def remember(texts: Texts, path: str) -> None:
    """Writes the texts to a file, in a folder that is made where it is missing. Raises OSError."""
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, mode=0o700, exist_ok=True)
    content = json.dumps(_plain(texts), ensure_ascii=False, separators=(",", ":")).encode()
    temporary = f"{path}.new"
    descriptor = os.open(temporary, _FLAGS, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.replace(temporary, path)
    _sync(folder)


def recall(path: str) -> Texts:
    """The texts of such a file. Raises OSError, or ValueError for another kind of file."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        return _texts(json.loads(content))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError("it does not hold a configuration") from error


def _plain(texts: Texts) -> dict[str, Any]:
    return {"version": _VERSION, "conf": texts.conf, "inq": texts.inq, "values": texts.values}


def _texts(content: Any) -> Texts:
    if content["version"] != _VERSION:
        raise ValueError(f"it is of version {content['version']}, not {_VERSION}")
    conf = content["conf"]
    return Texts(
        None if conf is None else _text(conf),
        tuple(_text(item) for item in content["inq"]),
        tuple((str(name), str(value)) for name, value in content["values"]),
    )


def _text(item: Any) -> Text:
    file, text = item
    if not (isinstance(file, str) and isinstance(text, str)):
        raise TypeError("a file's name and its text")
    return Text(file, text)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
