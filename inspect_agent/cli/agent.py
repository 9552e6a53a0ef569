"""`inspect-agent`: runs in the foreground and logs to standard output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from inspect_agent import __version__
from inspect_agent.cli import paths
from inspect_agent.cli.ending import end_well

CORE = "inspect_agent.core.main"
_LEAN = {
    "LC_ALL": "C",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TOP_PAD_": "0",
    "MALLOC_MMAP_THRESHOLD_": "65536",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 after SIGTERM, 1 when it could not start or a test failed, 2 for usage."""
    options = _parser().parse_args(arguments)
    if not options.test_configuration:
        _become_the_agent(options)
    from inspect_agent.cli.check import check  # the compiler, which the agent has no use for

    return end_well(partial(check, options.root))


def _become_the_agent(options: argparse.Namespace) -> NoReturn:
    """Leaves this process to the core: same PID, no parser, nothing from the user's environment.

    Of 16 MB, one malloc arena, no padding and large blocks outside of the heap (a module's file
    while it is loaded) save 0.3: mallopt(3). Code without columns for tracebacks saves 0.1, and no
    table of characters 0.1: in the C locale Python speaks UTF-8 all the same (PEP 540).
    """
    state_dir = paths.state_dir(os.environ, os.geteuid())
    root, socket = os.path.abspath(options.root), os.path.abspath(options.socket)
    arguments = (root, socket, state_dir, options.log_level or "")
    command = (sys.executable, "-I", "-X", "no_debug_ranges", "-m", CORE, *arguments)
    os.execve(sys.executable, command, {**os.environ, **_LEAN})


def _parser() -> argparse.ArgumentParser:
    uid = os.geteuid()
    parser = argparse.ArgumentParser(
        prog="inspect-agent",
        description="Watches this machine and its services by the rules in DIR.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    root, socket = paths.config_root(os.environ, uid), paths.socket_path(os.environ, uid)
    add("-c", dest="root", metavar="DIR", default=root, help=f"the configuration ({root})")
    add("-s", dest="socket", metavar="SOCKET", default=socket, help=f"({socket})")
    add(
        "-l", dest="log_level", choices=("warn", "info", "debug", "verbose"), help="how much to log"
    )
    add("-tc", dest="test_configuration", action="store_true", help="test DIR and exit")
    add("-v", action="version", version=f"inspect-agent {__version__}", help="the version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
