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


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 after SIGTERM, 1 when it could not start or a test failed, 2 for usage."""
    options = _parser().parse_args(arguments)
    if not options.test_configuration:
        _become_the_agent(options)
    from inspect_agent.cli.check import check  # the compiler, which the agent has no use for

    return end_well(partial(check, options.root))


def _become_the_agent(options: argparse.Namespace) -> NoReturn:
    """Leaves this process to the core: same PID, no parser, nothing from the user's environment.

    One malloc arena and no padding: of 16 MB, 0.2 are saved so (mallopt(3)).
    """
    state_dir = paths.state_dir(os.environ, os.geteuid())
    root, socket = os.path.abspath(options.root), os.path.abspath(options.socket)
    arguments = (root, socket, state_dir, options.log_level or "")
    command = (sys.executable, "-I", "-m", "inspect_agent.core.main", *arguments)
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1", "MALLOC_TOP_PAD_": "0"}
    os.execve(sys.executable, command, environment)


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
