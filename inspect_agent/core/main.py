"""`python -I -m inspect_agent.core.main ROOT SOCKET STATE_DIR LEVEL`: the agent's own process.

The command line's parser is left behind by exec: it costs half a megabyte. LEVEL may be empty.
"""

from __future__ import annotations

import contextlib
import os
import sys

from inspect_agent.core.boot import Boot, Options
from inspect_agent.errors import InspectError


def main(arguments: list[str]) -> int:
    """Runs the agent; the exit status."""
    root, socket, state_dir, level = arguments
    _fill_streams()
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write("inspect-agent")
    try:
        boot = Boot(Options(root, socket, state_dir, level or None))  # type: ignore[arg-type]  # the command line has checked it
    except InspectError as error:
        print(f"inspect-agent: {error}", file=sys.stderr)
        return 1
    return boot.run()


def _fill_streams() -> None:
    """A stream that was closed gives its number to no file of ours: the log writes to 1."""
    fd = os.open(os.devnull, os.O_RDWR)
    while fd <= 2:
        fd = os.open(os.devnull, os.O_RDWR)
    os.close(fd)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
