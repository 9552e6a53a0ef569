"""README and docs: what they show exists, what they link to is there, their rules compile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from inspect_agent.cli import agent as agent_cli
from inspect_agent.cli import ctl
from inspect_agent.core.commands import Running, commands
from inspect_agent.lang.compile import compile_folder
from inspect_agent.lang.problems import render
from tests.packaging.conftest import CHECKOUT

PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((CHECKOUT / "docs").glob("*.md")),
]
KNOWN = {*commands(cast(Running, None)), *ctl._LOCAL, "-h"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"\binspectctl +(?:-s +\S+ +)?([-\w]+)(?: +(\w+))?")
OPTION = re.compile(r"\binspect-agent (-\w+)")


def named(pages: list[Path]) -> pytest.MarkDecorator:
    """A test for each page."""
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def block(page: Path, language: str) -> Iterator[str]:
    """The fenced blocks of a language."""
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.M):
        yield found[1]


@named(PAGES)
def test_links(page: Path) -> None:
    """Every link within the repository leads to a file, and to a heading where it names one."""
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}"


@named(PAGES)
def test_commands(page: Path) -> None:
    """Every `inspectctl …` that is shown exists."""
    unknown = [
        found[0]
        for found in COMMAND.finditer(page.read_text())
        if found[1] not in KNOWN and f"{found[1]} {found[2]}" not in KNOWN
    ]
    assert unknown == []


@named(PAGES)
def test_options(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every option of inspect-agent that is shown exists."""
    with pytest.raises(SystemExit):
        agent_cli.main(["-h"])
    options = set(re.findall(r"^ +(-\w+)", capsys.readouterr().out, re.MULTILINE))
    assert set(OPTION.findall(page.read_text())) <= options


def test_readme_shows_commands() -> None:
    """The newcomer meets the commands that matter (and the test above has something to look at)."""
    shown = {found[1] for found in COMMAND.finditer((CHECKOUT / "README.md").read_text())}
    assert {"check", "reload", "status", "show", "start", "finish", "unmonitor"} <= shown


def test_rules_of_the_readme(tmp_path: Path) -> None:
    """The README shows a configuration without a problem, and a route for rules to come."""
    folder = tmp_path / "inspect-agent"
    (folder / "services.d").mkdir(parents=True)
    readme = CHECKOUT / "README.md"
    for number, text in enumerate(block(readme, "inq")):
        (folder / f"services.d/{number}.inq").write_text(text)
    (conf,) = block(readme, "conf")
    for name, secret in (("mail.secret", "secret\n"), ("chat.url", "json://localhost\n")):
        (folder / name).write_text(secret)
    (folder / "inspect.conf").write_text(conf.replace("file:/etc/inspect-agent", f"file:{folder}"))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o600)

    compiled = compile_folder(str(folder))

    assert [render(problem) for problem in compiled.problems] == []
    assert [warning.message for warning in compiled.warnings] == [
        "nothing is ever sent to the route chat"
    ]
    assert compiled.config is not None
    assert [service.name for service in compiled.config.services] == ["sidekiq", "nginx"]
