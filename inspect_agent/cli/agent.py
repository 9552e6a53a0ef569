"""`inspect-agent`: runs in the foreground and logs to standard output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from inspect_agent import __version__
from inspect_agent.cli import paths
from inspect_agent.errors import InspectError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 after SIGTERM, 1 when it could not start or a test failed, 2 for usage."""
    options = _parser().parse_args(arguments)
    if options.test_configuration:
        # the language is a worker's business: the agent itself never loads it
        from inspect_agent.cli.check import check

        return check(options.root)
    from inspect_agent.core.boot import Boot, Options

    state_dir = paths.state_dir(os.environ, os.geteuid())
    try:
        boot = Boot(Options(options.root, options.socket, state_dir, options.log_level))
    except InspectError as error:
        print(f"inspect-agent: {error}", file=sys.stderr)
        return 1
    return boot.run()


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
