"""`inspectctl fmt [--check|--diff] FILES`: the files of a configuration in their one layout."""

from __future__ import annotations

import argparse
import gc
import re
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from inspect_agent.cli.difference import difference
from inspect_agent.cli.inputs import STANDARD_INPUT, Input, inputs
from inspect_agent.cli.rewrite import rewrite
from inspect_agent.lang.files import Misfit, decoded
from inspect_agent.lang.format import formatted
from inspect_agent.lang.parse import Grammar
from inspect_agent.lang.problems import Problem, Wrong, render
from inspect_agent.lang.report import WHOLE, Findings, Report
from inspect_agent.lang.vocabulary import installed

_CONF = re.compile(r"(?:[\s\ufeff]|#[^\n]*\n)*(?:set|send)(?![^\s\ufeff,\"()])")


class _Laid(NamedTuple):
    """A file's bytes as they are, and laid out."""

    path: str
    name: str
    old: bytes
    new: bytes


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where all is in order, 1 where something is not, 2 for usage."""
    options = _parser().parse_args(arguments)
    secrets = installed().secrets()
    files = (file for given in options.files for file in inputs(given))
    gc.disable()  # looking through all that a large file is made of takes a third of the time
    try:
        return max((_one(file, options.act, Findings(secrets)) for file in files), default=0)
    finally:
        gc.enable()


def _one(file: Input, act: Callable[[_Laid], int], findings: Findings) -> int:
    laid = _laid(file, findings)
    if isinstance(laid, _Laid):
        try:
            return act(laid)
        except BrokenPipeError:  # nobody reads any more: cli/ending.py
            raise
        except OSError as error:
            laid = (_unwritten("standard output", error),)
    for problem in laid:
        print(render(problem), file=sys.stderr)
    return 1


def _laid(file: Input, findings: Findings) -> _Laid | tuple[Problem, ...]:
    if isinstance(file.content, Wrong):
        Report(file.name, "", findings).error(WHOLE, file.content)
        return findings.errors
    text = decoded(file.content)
    if isinstance(text, Misfit):
        Report(file.name, "", findings).error(text.at, text.wrong)
        return findings.errors
    made = formatted(_grammar(file.path, text), text, Report(file.name, text, findings))
    if made is None:
        return findings.errors
    return _Laid(file.path, file.name, file.content, made.encode())


def _grammar(path: str, text: str) -> Grammar:
    """Standard input has no name; only inspect.conf begins with `set` or `send`."""
    if path == STANDARD_INPUT:
        return "conf" if _CONF.match(text) else "inq"
    return "conf" if path.endswith(".conf") else "inq"


def _rewrite(file: _Laid) -> int:
    """Writes what is new into the file; standard input goes to standard output in any case."""
    if file.path == STANDARD_INPUT:
        _put(file.new)
    elif file.new != file.old:
        try:
            rewrite(file.path, file.new)
        except OSError as error:
            print(render(_unwritten(file.name, error)), file=sys.stderr)
            return 1
        _put(f"{file.name}\n".encode())
    return 0


def _check(file: _Laid) -> int:
    if file.new == file.old:
        return 0
    _put(f"{file.name}\n".encode())
    return 1


def _diff(file: _Laid) -> int:
    if file.new == file.old:
        return 0
    _put(difference(file.name, file.old.decode(), file.new.decode()).encode())
    return 1


def _put(data: bytes) -> None:
    """To standard output as it is: a terminal's encoding must not change a configuration."""
    with open(1, "wb", closefd=False) as out:
        out.write(data)


def _unwritten(name: str, error: OSError) -> Problem:
    reason = (error.strerror or "no reason given").lower()
    return Problem(name, 0, 0, f"cannot be written: {reason}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inspectctl fmt",
        description="Lays out the files of a configuration, and names those that it changes.",
        allow_abbrev=False,
    )
    act = parser.add_mutually_exclusive_group()
    parser.set_defaults(act=_rewrite)
    for option, does, text in (
        ("--check", _check, "name the files that would change, and change none; exit 1 if any"),
        ("--diff", _diff, "show what would change, and change nothing; exit 1 if anything"),
    ):
        act.add_argument(option, dest="act", action="store_const", const=does, help=text)
    parser.add_argument(
        "files",
        metavar="FILES",
        nargs="+",
        help="files, folders with all *.inq and inspect.conf below, or - for standard input",
    )
    return parser
