"""What may stand where supervisord should: bytes for an answer, or none at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from xmlrpc.client import dumps

Answer = Callable[[socket.socket], None]


def http(body: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An HTTP response; `length` is what it says of its body."""
    said = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {said}\r\n\r\n{body}".encode()


def xml(value: Any) -> bytes:
    """An answer as supervisord gives it."""
    return http(dumps((value,), methodresponse=True))


def says(data: bytes) -> Answer:
    """Answers so, and hangs up."""
    return lambda connected: connected.sendall(data)


def silent(connected: socket.socket) -> None:
    """Answers nothing, until the other end hangs up."""
    connected.recv(1)


def endless(connected: socket.socket) -> None:
    """Answers as long as somebody listens."""
    connected.sendall(http("", length=1 << 30))
    zeros = bytes(1 << 20)
    for _ in range(1 << 10):
        connected.sendall(zeros)


class Double:
    """Answers every request in the same way; `requests` are those that came."""

    def __init__(self, listening: socket.socket, answer: Answer) -> None:
        self.requests: SimpleQueue[bytes] = SimpleQueue()
        self._listening, self._answer = listening, answer

    def serve(self) -> None:
        """Serves until its socket is shut down."""
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            with connected, suppress(ConnectionError):
                self.requests.put(_request(connected))
                self._answer(connected)


def _request(connected: socket.socket) -> bytes:
    with connected.makefile("rb") as lines:
        head = b"".join(iter(lines.readline, b"\r\n"))
        length = next(line for line in head.split(b"\r\n") if b"content-length" in line.lower())
        return head + lines.read(int(length.split()[1]))


@contextmanager
def over_socket(path: Path, answer: Answer) -> Iterator[Double]:
    """One that listens at this path."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        yield from _serve(listening, answer)


@contextmanager
def over_http(answer: Answer) -> Iterator[tuple[Double, int]]:
    """One that listens on the loopback, and its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        for double in _serve(listening, answer):
            yield double, listening.getsockname()[1]


def _serve(listening: socket.socket, answer: Answer) -> Iterator[Double]:
    listening.listen()
    double = Double(listening, answer)
    thread = threading.Thread(target=double.serve)
    thread.start()
    try:
        yield double
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
