"""How a command line ends: with its exit status, never with a traceback."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable


def end_well(run: Callable[[], int]) -> int:
    """The exit status of `run`, or the one a shell gives to what SIGPIPE or SIGINT ended."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not have every character
            stream.reconfigure(errors="replace")
    try:
        status = run()
        sys.stdout.flush()
    except BrokenPipeError:  # `| head -1` has read enough; at exit Python would flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status
