"""The configuration by the compile worker: the real one, and ones that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspect_agent.core import compiling
from inspect_agent.core.compiling import Compiled, Compiling
from inspect_agent.model.target import Budget, ProbeCheck, ServiceCheck
from tests.core.looping import looping, run_until
from tests.core.programs import Program


def compile_(root: Path, state_dir: Path | None = None) -> tuple[Compiled, list[str]]:
    """What comes of a folder, and what the worker says beside it."""
    done: list[Compiled] = []
    said: list[str] = []
    with looping() as loop:
        request = {"root": str(root), "state_dir": str(state_dir) if state_dir else None}
        Compiling(loop, request, done.append, said.append)
        run_until(loop, lambda: done)
    (compiled,) = done
    return compiled, said


def folder(path: Path, conf: str, rules: str) -> Path:
    """A configuration's folder."""
    (path / "services.d").mkdir(parents=True)
    (path / "inspect.conf").write_text(conf)
    (path / "inspect.conf").chmod(0o600)
    (path / "services.d" / "nginx.inq").write_text(rules)
    return path


def test_a_folder_becomes_a_configuration(tmp_path: Path) -> None:
    """Settings, routes and checks arrive as the model has them."""
    root = folder(tmp_path, "set cycle_time 5\nset state_dir /x\n", "check service nginx\n")
    compiled, said = compile_(root)
    assert compiled.config is not None
    assert compiled.config.settings.cycle_time_s == 5.0
    assert [destination.key for destination in compiled.config.destinations] == ["default/log"]
    assert compiled.config.services == (
        ServiceCheck("nginx", "services.d/nginx.inq:1", Budget(3, 600.0)),
    )
    assert (compiled.problems, compiled.state_dir, said) == ((), "/x", [])


def test_probes_arrive_beside_the_services(tmp_path: Path) -> None:
    """As the model has them."""
    compiled, _ = compile_(folder(tmp_path, "", "check probe shop\ncheck service nginx\n"))
    assert compiled.config is not None
    assert compiled.config.probes == (ProbeCheck("shop", "services.d/nginx.inq:1"),)
    assert [check.name for check in compiled.config.services] == ["nginx"]


def test_problems_come_with_the_state_folder(tmp_path: Path) -> None:
    """For the last good configuration lies there."""
    root = folder(
        tmp_path, "set state_dir /x\n", "check service nginx\n  if cpu:usr > 5 then alert\n"
    )
    compiled, _ = compile_(root)
    assert (compiled.config, len(compiled.problems), compiled.state_dir) == (None, 1, "/x")
    assert compiled.problems[0].startswith("services.d/nginx.inq:2:6: ")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import sys\nsys.exit('Traceback: oops')", "worker compile ended"),
        ("print('hello', flush=True)", "worker compile wrote something other than a JSON object"),
        ("import time\ntime.sleep(1000)", "the compiler did not end within 0 s"),
    ],
)
def test_a_compiler_that_fails_is_a_problem(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    """There is no configuration, and the reason is said like any other."""
    program.is_(code)
    if "sleep" in code:
        monkeypatch.setattr(compiling, "DEADLINE_S", 0.1)
    compiled, said = compile_(tmp_path)
    assert compiled == Compiled(None, (problem,), (), "")
    assert said == (["Traceback: oops"] if "Traceback" in code else [])


def test_a_compiler_that_cannot_be_started_is_a_problem(tmp_path: Path, program: Program) -> None:
    """Said at once."""
    compiled, _ = compile_(tmp_path)
    (problem,) = compiled.problems
    assert problem.startswith("cannot start the compiler: [Errno 2] No such file or directory")


def test_a_compiler_that_dies_halfway_gives_nothing(tmp_path: Path, program: Program) -> None:
    """A configuration is never half-loaded."""
    program.is_(
        "import json\n"
        'print(json.dumps({"settings": {"is": "Settings", "cycle_time_s": 5.0}}))\n'
        'print(json.dumps({"host": {"is": "HostCheck"}}), flush=True)\n'
    )
    compiled, _ = compile_(tmp_path)
    assert compiled == Compiled(None, ("worker compile ended",), (), "")
