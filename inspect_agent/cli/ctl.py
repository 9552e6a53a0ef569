"""`inspectctl`: asks the agent, and checks configurations without it.

Exit status: 0 done · 1 the agent said no, or the configuration has problems · 2 wrong usage ·
3 no agent at the socket.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from inspect_agent import __version__
from inspect_agent.cli import paths
from inspect_agent.cli.client import ask
from inspect_agent.cli.ending import end_well
from inspect_agent.errors import AgentUnreachable, ControlError
from inspect_agent.export import table
from inspect_agent.export.answers import to_text

_COMMANDS = """commands:
  status                         what is watched, and how it is
  show TARGET METRIC             its last samples: show sidekiq memory:rss
  start deploy [NAME…] [for 10m] nothing is judged, told or repaired
  finish deploy [NAME…]          ends it (stop deploy is the same)
  unmonitor NAME…, monitor NAME… leaves a service alone for as long as you like
  reload                         reads the configuration again
  export                         the status as JSON
  help, version                  what the agent itself answers

without an agent:
  check [DIR]                    what it would say of a configuration
  explain FILE[:LINE]            what a file, or a rule in it, means, in plain words
  metrics [FAMILY]               what a rule may compare, and where it comes from
  fmt [--check|--diff] FILES     lays out .inq files and inspect.conf, all in one way
"""

_LOCAL = {
    "check": "inspect_agent.cli.check",
    "explain": "inspect_agent.cli.explain",
    "fmt": "inspect_agent.cli.fmt",
    "metrics": "inspect_agent.cli.metrics",
}
"""Commands that need no agent, and the module whose `main` is each: most load the compiler."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status."""
    return end_well(partial(_run, arguments))


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    words: list[str] = options.words
    if not words:
        parser.print_usage(sys.stderr)
        print("inspectctl: which command? `inspectctl -h` lists them", file=sys.stderr)
        return 2
    if words[0] in _LOCAL:
        status: int = import_module(_LOCAL[words[0]]).main(words[1:])
        return status
    length = 2 if words[0] in ("start", "finish", "stop") else 1
    return _ask(options.socket, " ".join(words[:length]), words[length:])


def _ask(socket: str, command: str, words: list[str]) -> int:
    try:
        answer = ask(socket, command, words)
    except ControlError as error:
        print(error, file=sys.stderr)
        return 1
    except AgentUnreachable as error:
        print(error, file=sys.stderr)
        return 3
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")  # https://no-color.org
    sys.stdout.write(to_text(command, answer, table.colour if coloured else table.plain))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inspectctl",
        usage="inspectctl [-s SOCKET] COMMAND …",
        description="Asks the agent what it sees, and tells it of deploys.",
        epilog=_COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    path = paths.socket_path(os.environ, os.geteuid())
    parser.add_argument(
        "-s", dest="socket", metavar="SOCKET", default=path, help=f"the agent's socket ({path})"
    )
    parser.add_argument(
        "-v", action="version", version=f"inspectctl {__version__}", help="the version"
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="see below")
    return parser


if __name__ == "__main__":
    sys.exit(main())
