"""Inputs that nobody means well with: a problem with a place, and never more than that."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspect_agent.lang.compile import Compiled, compile_folder
from inspect_agent.lang.problems import render
from inspect_agent.lang.report import MOST_KEPT
from tests.lang.hostile import SHAPES

SIZE = 100_000
LARGE = 1024 * 1024 - 100


def made(folder: Path, name: str, characters: int) -> Compiled:
    """What comes of a configuration that is nothing but this."""
    shape = SHAPES[name]
    path = folder / shape.file
    path.parent.mkdir(exist_ok=True)
    path.write_text(shape.make(characters), "utf-8")
    path.chmod(0o600)
    return compile_folder(str(folder))


def check(compiled: Compiled, name: str) -> None:
    """The first problem is the one that was to be told, and all of them can be read."""
    shape = SHAPES[name]
    assert (compiled.config is None) == bool(shape.problem)
    assert len(compiled.problems) <= MOST_KEPT + 1
    for problem in compiled.problems[:1]:
        assert (problem.file, problem.line > 0) == (shape.file, True)
        assert problem.message.startswith(shape.problem)
    assert max((len(render(problem)) for problem in compiled.problems), default=0) < 1000


@pytest.mark.parametrize("name", SHAPES)
def test_a_hostile_file(tmp_path: Path, name: str) -> None:
    """A tenth of a megabyte of it."""
    check(made(tmp_path, name, SIZE), name)


@pytest.mark.acceptance
@pytest.mark.parametrize("name", SHAPES)
def test_a_large_hostile_file(tmp_path: Path, name: str) -> None:
    """As much of it as a file may hold."""
    characters = LARGE // 2 if name == "bytes of two" else LARGE
    while len(SHAPES[name].make(characters).encode()) > LARGE:
        characters = characters * 9 // 10
    check(made(tmp_path, name, characters), name)


@pytest.mark.parametrize("name", ["rules", "one word", "blanks", "NULs", "quotes"])
def test_ten_megabytes(tmp_path: Path, name: str) -> None:
    """They are not even read: the file is named, with what it may hold at most."""
    compiled = made(tmp_path, name, 10 * 1024 * 1024)
    (problem,) = compiled.problems
    assert render(problem) == f"{SHAPES[name].file}: too large: more than 1024 KiB"


def test_a_hundred_thousand_rules(tmp_path: Path) -> None:
    """In one file they are too large; in several they are a configuration."""
    rule = "  if memory:rss > 500m then alert\n"
    services = tmp_path / "services.d"
    services.mkdir()
    (services / "all.inq").write_text("check service x\n" + rule * 100_000)
    (problem,) = compile_folder(str(tmp_path)).problems
    assert render(problem) == "services.d/all.inq: too large: more than 1024 KiB"
    (services / "all.inq").unlink()
    for number in range(5):
        (services / f"{number}.inq").write_text(f"check service s{number}\n" + rule * 20_000)
    compiled = compile_folder(str(tmp_path))
    assert compiled.config is not None
    assert [len(service.rules) for service in compiled.config.services] == [20_000] * 5
