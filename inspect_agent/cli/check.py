"""`inspectctl check [DIR]` and `inspect-agent -tc`: what the agent would say of a configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from inspect_agent.cli import paths
from inspect_agent.export import values
from inspect_agent.lang.compile import compile_folder
from inspect_agent.lang.problems import render
from inspect_agent.model.config import Config


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where the agent would load it, 1 where it would not, 2 for usage."""
    parser = argparse.ArgumentParser(
        prog="inspectctl check", description="What the agent would say of a configuration."
    )
    root = paths.config_root(os.environ, os.geteuid())
    parser.add_argument("root", metavar="DIR", nargs="?", default=root, help=f"({root})")
    return check(parser.parse_args(arguments).root)


def check(root: str) -> int:
    """Prints every problem and exits 1, or says what was understood and exits 0."""
    compiled = compile_folder(root)
    for problem in (*compiled.problems, *compiled.warnings):
        print(render(problem), file=sys.stderr)
    if compiled.config is None:
        errors = values.many(len(compiled.problems), "error")
        print(f"{root}: {errors}; the agent would not load it", file=sys.stderr)
        return 1
    print(_understood(root, compiled.config))
    return 0


def _understood(root: str, config: Config) -> str:
    rules = len(config.host.rules) + sum(len(service.rules) for service in config.services)
    routes = {destination.route or "default" for destination in config.destinations}
    lines = [
        f"{root}: {values.many(len(config.services), 'service')}, {values.many(rules, 'rule')},"
        f" {values.many(len(routes), 'route')}; every {config.settings.cycle_time_s:g} s"
    ]
    lines += [
        f"  service {service.name}: {values.many(len(service.rules), 'rule')}"
        for service in config.services
    ]
    return "\n".join(lines)
