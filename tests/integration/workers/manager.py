"""A manager inside of a machine: `manager.py MODULE:CLASS` answers a line of JSON with another.

    ["look", NAME, …]      observations by name, each a list of its members
    ["glance", NAME, …]    fingerprints by name
    ["loaded"]             names
    ["command", VERB, NAME]   the command's argv, or null

What the manager raises is {"raised": TEXT}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from inspect_agent.core.child import CLEAN_ENVIRONMENT
from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Command, Finished
from inspect_agent.model.target import Budget, ServiceCheck
from inspect_agent.ports import Manager, Question
from inspect_agent.registry import load


def answer(manager: Manager, what: str, *words: str) -> Any:
    """What the manager answers, its commands run as the core runs them."""
    if what == "command":
        command = manager.command(words[0], _check(words[1]))  # type: ignore[arg-type]
        return None if command is None else command.argv
    asked: Any = getattr(manager, what)
    said = asked(*([[_check(name) for name in words]] if what != "loaded" else []))
    return said.parse(_run(said.command)) if isinstance(said, Question) else said


def _check(name: str) -> ServiceCheck:
    return ServiceCheck(name, "services.d/x.inq:1", Budget(3, 600.0))


def _run(command: Command) -> Finished:
    ran = subprocess.run(
        command.argv,
        env=CLEAN_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=command.timeout_s,
        text=True,
    )
    return Finished(ran.returncode, ran.stdout, ran.stderr)


def main(where: str) -> None:
    """Answers until its input ends."""
    manager: Manager = load(where)()
    for line in sys.stdin:
        try:
            said = answer(manager, *json.loads(line))
        except ManagerError as error:
            said = {"raised": str(error)}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
