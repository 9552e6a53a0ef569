"""What is suspicious is told in tests/golden/warned; here is what no file of a few lines shows."""

from __future__ import annotations

import re
from itertools import islice, repeat

import pytest

from inspect_agent.lang.problems import render
from tests.lang.compiling import compiled, config
from tests.lang.edited import GOLDEN

DOCS = (GOLDEN.parent.parent / "docs" / "language.md").read_text("utf-8")
CHECK = "check service x\n"
RULE = "  if memory:rss > 1g then restart\n"


def first_lines(*texts: str, conf: str = "") -> list[str]:
    """Place and message of each warning."""
    made = compiled(*texts, conf=conf)
    return [render(warning).split("\n")[0] for warning in made.warnings]


def test_only_so_many_rules_are_compared() -> None:
    """Of a thousand each is told to be the same as the first; what comes behind costs nothing."""
    text = CHECK + "".join(islice(repeat(RULE), 1500))
    found = first_lines(text)
    assert len(found) == 999
    assert found[-1] == "a.inq:1001:3: warning: the rule in line 2 does the same"


def test_rules_about_one_metric_are_compared_with_the_first_of_them() -> None:
    """A ninth threshold that hides nothing is not compared with by the tenth."""
    different = "".join(f"  if memory:rss == {i}m then alert\n" for i in range(1, 10))
    assert first_lines(f"{CHECK}{different}  if memory:rss == 8m then alert\n") == [
        "a.inq:11:3: warning: the rule in line 9 does the same"
    ]
    assert first_lines(f"{CHECK}{different}  if memory:rss == 9m then alert\n") == []


@pytest.mark.parametrize(
    ("conf", "rules"),
    [
        ("send alerts to ops via log\nset x 5\n", CHECK),
        ("send alerts to ops via log\n", f"{CHECK}  if memory:rss > 5x then alert\n"),
        ("send alerts to ops via log\n", f"{CHECK}  if memory:rss > then alert\n"),
        ("send alerts to ops via log\n", "check service x with restarts 3/10m, ownr ops\n"),
        ("", "check probe p with url x, timeout 5s\n  if htp fails then alert\n"),
    ],
)
def test_beside_a_mistake_nothing_is_called_unused(conf: str, rules: str) -> None:
    """It may be the mistake that makes it look so."""
    made = compiled(rules, conf=conf)
    assert made.problems
    assert made.warnings == ()


def test_beside_a_mistake_other_checks_are_judged() -> None:
    """Only the rules of a check with a mistake are left alone."""
    text = f"{CHECK}{RULE}{RULE}  if memory:rss > 5x then alert\ncheck service y\n{RULE}{RULE}"
    assert first_lines(text) == ["a.inq:7:3: warning: the rule in line 6 does the same"]


def test_warnings_keep_nothing_from_being_used() -> None:
    """The configuration is whole, and has them with it."""
    made = config(CHECK + RULE + RULE)
    assert [rule.key for rule in made.services[0].rules] == [
        "memory:rss > 1g",
        "memory:rss > 1g #2",
    ]
    assert len(made.warnings) == 1


def rows() -> list[re.Pattern[str]]:
    """The warnings that the page's first table lists, with anything for `…`."""
    section = DOCS.partition("\n## Warnings\n")[2].partition("\n## ")[0]
    table = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[0]
    cells = [row.split(" | ")[0].removeprefix("| ") for row in table.splitlines()[2:]]
    return [re.compile(".*".join(map(re.escape, cell.split("…")))) for cell in cells]


def test_the_page_lists_them() -> None:
    """Each warning of a golden file has a row in docs/language.md, and each row a warning."""
    texts = [path.read_text("utf-8") for path in (GOLDEN / "warned").glob("*.txt")]
    told = re.findall(r"^\S+: warning: (.+)$", "\n".join(texts), re.MULTILINE)
    listed = rows()
    assert [message for message in told if not any(row.search(message) for row in listed)] == []
    assert [row for row in listed if not any(map(row.search, told))] == []
