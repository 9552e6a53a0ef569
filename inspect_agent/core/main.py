"""`python -I -m inspect_agent.core.main ROOT SOCKET STATE_DIR LEVEL`: the agent's own process.

The command line's parser is left behind by exec: it costs half a megabyte. LEVEL may be empty.
"""

from __future__ import annotations

import contextlib
import sys

from inspect_agent.core.boot import Boot, Options
from inspect_agent.errors import InspectError


def main(arguments: list[str]) -> int:
    """Runs the agent; the exit status."""
    root, socket, state_dir, level = arguments
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write("inspect-agent")
    try:
        boot = Boot(Options(root, socket, state_dir, level or None))  # type: ignore[arg-type]
    except InspectError as error:
        print(f"inspect-agent: {error}", file=sys.stderr)
        return 1
    return boot.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
