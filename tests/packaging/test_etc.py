"""The example configuration: it can be used as it is, and with all that it suggests."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from inspect_agent.lang.compile import compile_folder
from inspect_agent.lang.problems import render
from tests.packaging.conftest import CHECKOUT

UNUSED = """\
inspect.conf:19:16: warning: nothing is ever sent to the route oncall
    send alerts to oncall via gmail with to_email "me@example.com, you@example.com",
                   ^
    if … then alert oncall, or check … with owner oncall"""
SUGGESTED = re.compile(r"^# (?=(set|send) |  \w)", re.MULTILINE)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """The configuration as install.sh puts it in place."""
    folder = tmp_path / "inspect-agent"
    shutil.copytree(CHECKOUT / "packaging/etc", folder)
    shutil.copy(CHECKOUT / "rules/host.inq", folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o600)
    return folder


def problems(folder: Path) -> list[str]:
    """Everything there is to say about a configuration."""
    compiled = compile_folder(str(folder))
    return [render(problem) for problem in (*compiled.problems, *compiled.warnings)]


def test_as_it_is(etc: Path) -> None:
    """There is nothing to complain of."""
    assert problems(etc) == []


def test_with_all_that_it_suggests(etc: Path) -> None:
    """Whoever removes the # gets something that works, and a route to be named in rules."""
    for name in ("mail.secret", "gmail.secret"):
        (etc / name).write_text("secret\n")
        (etc / name).chmod(0o600)
    conf = etc / "inspect.conf"
    text, count = SUGGESTED.subn("", conf.read_text())
    conf.write_text(text.replace("file:/etc/inspect-agent", f"file:{etc}"))

    assert count == 5
    assert problems(etc) == [UNUSED]
    config = compile_folder(str(etc)).config
    assert config is not None
    assert [item.key for item in config.destinations] == [
        "default/email",
        "oncall/gmail",
        "oncall/gmail/2",
    ]


def test_readme(etc: Path) -> None:
    """The checks that the README shows are checks."""
    text = (etc / "services.d/README").read_text()
    checks = "".join(line[4:] for line in text.splitlines(keepends=True) if line.startswith("    "))
    (etc / "services.d/readme.inq").write_text(checks.partition("inspectctl")[0])

    assert problems(etc) == []
    config = compile_folder(str(etc)).config
    assert config is not None
    assert [service.name for service in config.services] == ["nginx", "worker"]
