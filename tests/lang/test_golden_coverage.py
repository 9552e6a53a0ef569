"""The golden files leave nothing out: every production of the grammars, every problem there is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, UnexpectedInput

from inspect_agent import lang
from inspect_agent.lang import parse
from inspect_agent.lang.problems import Wrong
from tests.lang.compiling import ROUTES, compiled
from tests.lang.edited import GOLDEN, texts

FOLDER = Path(lang.__file__).parent
ELSEWHERE = {
    "disk.py": "reads folders: test_files.py",
    "files.py": "reads folders: test_files.py",
    "compile.py": "reads what is remembered: test_bundle.py",
    "here.py": "judges what managers say: warnings/test_here.py",
    "format.py": "lays out: test_format.py",
    "reference.py": "lists metrics: test_reference.py",
}
"""Modules whose problems no golden file can have, and where they are tested."""


def reduced(name: parse.Grammar) -> tuple[set[str], set[str]]:
    """The expansions that the golden files use, and all there are."""
    text = (FOLDER / f"{name}.lark").read_text("utf-8")
    parser: Any = Lark(text, parser="lalr", start="file")
    callbacks = parser.parser.parser_conf.callbacks
    used: set[str] = set()

    def noted(rule: Any, callback: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(children: Any) -> Any:
            used.add(str(rule))
            return callback(children)

        return call

    rules = list(callbacks)
    callbacks.update({rule: noted(rule, callbacks[rule]) for rule in rules})
    for source in texts(f".{name}"):
        try:
            parser.parse(source)
        except UnexpectedInput:
            continue
    return used, {str(rule) for rule in rules}


@pytest.mark.parametrize("name", ["inq", "conf"])
def test_every_production(name: parse.Grammar) -> None:
    """Each way to write each rule of the grammar is in some golden file."""
    used, there = reduced(name)
    assert there - used == set()


def places() -> Iterator[tuple[str, int]]:
    """Where the compiler says that something is wrong: file and line."""
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Wrong":
                yield path.name, node.lineno


def configurations() -> Iterator[tuple[str, str, str]]:
    """Each golden case: its inspect.conf, its rules, and what the first is called."""
    stems = {path.with_suffix("") for path in GOLDEN.rglob("*") if path.suffix in (".inq", ".conf")}
    for stem in sorted(stems):
        conf, rules = stem.with_suffix(".conf"), stem.with_suffix(".inq")
        yield (
            conf.read_text("utf-8") if conf.exists() else ROUTES,
            rules.read_text("utf-8") if rules.exists() else "",
            "inspeqtor.conf" if stem.name.startswith("inspeqtor") else "inspect.conf",
        )


def test_every_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place that makes a problem has made one for some golden file."""
    made: set[tuple[str, int]] = set()
    plain = Wrong.__new__

    def noting(cls: type[Wrong], *args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1)
        made.add((Path(caller.f_code.co_filename).name, caller.f_lineno))
        return plain(cls, *args, **kwargs)

    monkeypatch.setattr(Wrong, "__new__", noting)
    for conf, rules, file in configurations():
        compiled(rules, conf=conf, file=file)
    missing = [f"{file}:{line}" for file, line in places() if (file, line) not in made]
    assert [place for place in missing if place.partition(":")[0] not in ELSEWHERE] == []
