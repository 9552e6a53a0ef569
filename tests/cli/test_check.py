"""`inspectctl check`: its options, and what it says to people and to programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from inspect_agent.cli import agent, ctl, running, verdict
from tests.cli.test_running import Fake
from tests.lang.compiling import compiled

Captured = pytest.CaptureFixture[str]
GOOD = "check service nginx\n  if memory:rss > 500m for 2 cycles then restart\n"
WARNED = "check service nginx\n  if cpu:user > 95% then restart, alert\n"
WARNING = (
    "services.d/nginx.inq:2:26: warning: restart at a single sample of cpu:user, which jumps up"
    " and down\n"
    "      if cpu:user > 95% then restart, alert\n"
    "                             ^\n"
    "    for 2 cycles, before then; or for 1 cycle, if it is meant\n"
)


@pytest.fixture(autouse=True)
def _nothing_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No manager knows the services of a test."""
    monkeypatch.setattr(running, "running", list)


def folder(path: Path, rules: str) -> str:
    """A configuration with these rules."""
    (path / "services.d").mkdir()
    (path / "services.d" / "nginx.inq").write_text(rules)
    (path / "inspect.conf").touch(0o600)
    return str(path)


def test_a_warning_is_no_error(tmp_path: Path, capsys: Captured) -> None:
    """It is shown, and so is what was understood; exit 0."""
    root = folder(tmp_path, WARNED)
    assert ctl.main(["check", root]) == 0
    assert capsys.readouterr() == (
        f"{root}: 1 service, 1 rule, 1 route; every 15 s\n  service nginx: 1 rule\n",
        WARNING,
    )


def test_a_warning_is_an_error_to_the_strict(tmp_path: Path, capsys: Captured) -> None:
    """Exit 1; without a warning --strict changes nothing."""
    root = folder(tmp_path, WARNED)
    assert ctl.main(["check", "--strict", root]) == 1
    assert capsys.readouterr() == ("", f"{WARNING}{root}: 1 warning; --strict allows none\n")
    (tmp_path / "services.d" / "nginx.inq").write_text(GOOD)
    assert ctl.main(["check", root, "--strict"]) == 0
    assert capsys.readouterr().err == ""


def as_json(capsys: Captured) -> Any:
    """The one object on standard output; nothing is on standard error."""
    said = capsys.readouterr()
    assert said.err == ""
    return json.loads(said.out)


def test_json(tmp_path: Path, capsys: Captured) -> None:
    """Problems with their places, and what was understood."""
    root = folder(tmp_path, WARNED)
    problem = {
        "file": "services.d/nginx.inq",
        "line": 2,
        "column": 26,
        "message": "restart at a single sample of cpu:user, which jumps up and down",
        "hint": "for 2 cycles, before then; or for 1 cycle, if it is meant",
        "severity": "warning",
        "source": "  if cpu:user > 95% then restart, alert",
    }
    expected = {
        "root": root,
        "ok": True,
        "problems": [problem],
        "services": 1,
        "probes": 0,
        "rules": 1,
        "routes": 1,
    }
    assert ctl.main(["check", root, "--format", "json"]) == 0
    assert as_json(capsys) == expected
    assert ctl.main(["check", root, "--format", "json", "--strict"]) == 1
    assert as_json(capsys) == {**expected, "ok": False}


def test_json_of_a_configuration_that_would_not_be_loaded(tmp_path: Path, capsys: Captured) -> None:
    """Errors before warnings; what it holds is not known."""
    root = folder(tmp_path, f"{WARNED}check service x\n  if donw then alert\n")
    (tmp_path / "host.inq").write_bytes(b"\xff")
    assert ctl.main(["check", root, "--format", "json"]) == 1
    answer = as_json(capsys)
    problems = [
        (problem["severity"], problem["file"], problem["line"], problem["column"])
        for problem in answer.pop("problems")
    ]
    assert problems == [
        ("error", "host.inq", 1, 1),
        ("error", "services.d/nginx.inq", 4, 11),
        ("warning", "services.d/nginx.inq", 2, 26),
    ]
    assert answer == {
        "root": root,
        "ok": False,
        **dict.fromkeys(("services", "probes", "rules", "routes")),
    }


def test_json_of_what_is_wrong_with_a_whole_file(tmp_path: Path, capsys: Captured) -> None:
    """It has no line and no column: both are 0."""
    assert ctl.main(["check", str(tmp_path / "nowhere"), "--format", "json"]) == 1
    (problem,) = as_json(capsys)["problems"]
    assert (problem["line"], problem["column"]) == (0, 0)
    assert (problem["message"], problem["source"]) == ("no such folder", "")


def test_probes_are_counted(capsys: Captured) -> None:
    """In both forms, beside the services and their rules."""
    made = compiled(
        "check host\n  if swap > 20% then alert\ncheck service x\n",
        "check probe shop with url https://shop.example\n  if http fails then alert\n",
    )
    verdict.show_text("etc", made, True)
    assert capsys.readouterr().out == (
        "etc: 1 service, 1 probe, 2 rules, 3 routes; every 15 s\n"
        "  service x: 0 rules\n"
        "  probe shop: 1 rule\n"
    )
    verdict.show_json("etc", made, True)
    answer = as_json(capsys)
    counts = [answer[name] for name in ("services", "probes", "rules", "routes")]
    assert counts == [1, 1, 2, 3]


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--format"], ["--loud"]])
def test_wrong_usage(arguments: list[str], capsys: Captured) -> None:
    """Exit 2, with the usage."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(["check", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: inspectctl check ")


def test_this_machine_is_asked(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By check and by -tc, unless the configuration is said to be another machine's."""
    root = folder(tmp_path, GOOD)
    monkeypatch.setattr(running, "running", lambda: [Fake("systemd", loaded=("nginy",))])
    warning = (
        "services.d/nginx.inq:1:15: warning: nothing called nginx is known to systemd here\n"
        "    check service nginx\n"
        "                  ^\n"
        "    did you mean nginy?\n"
    )
    assert ctl.main(["check", root]) == 0
    assert capsys.readouterr().err == warning
    assert agent.main(["-tc", "-c", root]) == 0
    assert capsys.readouterr().err == warning
    assert ctl.main(["check", root, "--strict"]) == 1
    assert capsys.readouterr().err.startswith(warning)
    assert ctl.main(["check", root, "--strict", "--elsewhere"]) == 0
    assert capsys.readouterr().err == ""


def test_the_page_describes_it(tmp_path: Path, capsys: Captured) -> None:
    """The example in docs/operations.md has the members that there are."""
    page = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text("utf-8")
    (example,) = re.findall(r'^    (\{"root".+?\]\})$', page, re.MULTILINE | re.DOTALL)
    ctl.main(["check", folder(tmp_path, WARNED), "--format", "json"])
    answer, shown = as_json(capsys), json.loads(example)
    assert answer.keys() == shown.keys()
    (problem,), (shown_problem,) = answer["problems"], shown["problems"]
    assert problem.keys() == shown_problem.keys()
    assert [problem[name] for name in ("message", "hint", "severity")] == [
        shown_problem[name] for name in ("message", "hint", "severity")
    ]
