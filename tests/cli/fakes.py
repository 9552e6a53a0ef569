"""An agent's socket that answers one thing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Fake:
    """Answers every request with the same bytes, and remembers the requests."""

    def __init__(self, folder: Path, answer: bytes) -> None:
        self.path = str(folder / "inspect.sock")
        self.requests: list[dict[str, Any]] = []
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self.requests.append(json.loads(stream.readline()))
                stream.write(self._answer)

    def close(self) -> None:
        """Nobody listens any more; the file stays, as a dead agent leaves it."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def answering(folder: Path, answer: bytes | dict[str, Any]) -> Iterator[Fake]:
    """An agent that gives this answer."""
    text = answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n"
    fake = Fake(folder, text)
    yield fake
    fake.close()
