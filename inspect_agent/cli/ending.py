"""How a command line ends: with its exit status, never with a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable

CANNOT_WRITE = 1


def end_well(run: Callable[[], int]) -> int:
    """The exit status of `run`, or the one a shell gives to what SIGPIPE or SIGINT ended."""
    _open_all()
    try:
        status = run()
        sys.stdout.flush()
    except BrokenPipeError:  # `| head -1` has read enough
        _let_go()
        return 128 + signal.SIGPIPE
    except OSError as error:  # >/dev/full
        _let_go()
        with contextlib.suppress(OSError):
            where = error.filename or "standard output"
            print(f"{where}: {error.strerror}", file=sys.stderr, flush=True)
        return CANNOT_WRITE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status


def _open_all() -> None:
    """A closed stream is None (`>&-`): what is written to it goes nowhere."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  # open until the end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115  # open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not have every character
            stream.reconfigure(errors="replace")


def _let_go() -> None:
    """At exit Python would flush again, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
