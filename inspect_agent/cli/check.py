"""`inspectctl check [DIR]` and `inspect-agent -tc`: what the agent would say of a configuration."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence

from inspect_agent.cli import paths, running, verdict
from inspect_agent.lang.compile import Compiled, Judge, compile_folder

_SHOWS: Mapping[str, Callable[[str, Compiled, bool], None]] = {
    "text": verdict.show_text,
    "json": verdict.show_json,
}


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where the agent would load it, 1 where it would not, 2 for usage."""
    parser = argparse.ArgumentParser(
        prog="inspectctl check", description="What the agent would say of a configuration."
    )
    add = parser.add_argument
    root = paths.config_root(os.environ, os.geteuid())
    add("root", metavar="DIR", nargs="?", default=root, help=f"({root})")
    add("--format", choices=tuple(_SHOWS), default="text", help="for people, or for programs")
    add("--strict", action="store_true", help="warnings count as errors")
    add("--elsewhere", action="store_true", help="it is another machine's: do not ask this one")
    options = parser.parse_args(arguments)
    judge = None if options.elsewhere else running.judge
    return check(options.root, options.format, options.strict, judge)


def check(
    root: str, form: str = "text", strict: bool = False, judge: Judge | None = running.judge
) -> int:
    """Shows every problem and warning, or what was understood; 1 where it does not pass."""
    compiled = compile_folder(root, judge=judge)
    passes = compiled.config is not None and not (strict and compiled.warnings)
    _SHOWS[form](root, compiled, passes)
    return 0 if passes else 1
