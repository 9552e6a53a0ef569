"""How problems are collected, and what they hide."""

from __future__ import annotations

from inspect_agent.lang.ast import Word
from inspect_agent.lang.problems import Wrong, render
from inspect_agent.lang.report import MOST_KEPT, WHOLE, Findings, Report
from inspect_agent.lang.secrets import Hidden


def test_problems_come_in_the_order_of_their_places() -> None:
    """Files in the order they were opened, then by line and column, whatever came first."""
    findings = Findings()
    b, a = Report("b", "x\nx y", findings), Report("a", "x", findings)
    a.error(Word("x", 1, 1), Wrong("four"))
    b.error(Word("y", 2, 3), Wrong("three"))
    b.error(Word("x", 2, 1), Wrong("two"))
    b.error(WHOLE, Wrong("one"))
    assert [problem.message for problem in findings.errors] == ["one", "two", "three", "four"]


def test_too_many_problems_are_counted() -> None:
    """A thousand are kept, the others are counted; a warning takes no error's place."""
    findings = Findings()
    report = Report("a", "", findings)
    for _ in range(MOST_KEPT + 5):
        report.warning(WHOLE, Wrong("warning"))
    for _ in range(MOST_KEPT + 5):
        report.error(WHOLE, Wrong("error"))
    assert len(findings.warnings) == MOST_KEPT
    assert len(findings.errors) == MOST_KEPT + 1
    assert render(findings.errors[-1]) == "a: and 5 more problems"


def test_a_message_names_the_word() -> None:
    """`{}` stands for the word, or for what is wrong with it."""
    findings = Findings()
    report = Report("a", "one two", findings)
    report.error(Word("one", 1, 1), Wrong("unknown {}"))
    report.error(Word("two", 1, 5), Wrong("unknown {}", said="three"))
    assert [problem.message for problem in findings.errors] == ["unknown one", "unknown three"]


def test_secrets_are_hidden() -> None:
    """What follows a password is shown in no message and no line, up to its statement's end."""
    text = "set a b\nsend x with user u, password p q,\n  r s\nset c d"
    findings = Findings()
    report = Report("a", text, findings)
    for word in (Word("u", 2, 18), Word("p", 2, 30), Word("r", 3, 3), Word("c", 4, 5)):
        report.error(word, Wrong("unknown {}"))
    assert [(problem.message, problem.source) for problem in findings.errors] == [
        ("unknown u", "send x with user u, password …"),
        ("unknown (not shown)", "send x with user u, password …"),
        ("unknown (not shown)", "…"),
        ("unknown c", "set c d"),
    ]


def test_what_only_looks_like_a_secret_is_shown() -> None:
    """A name within a word, and one without a value, hide nothing."""
    hidden = Hidden("set my_password x\nset password\nset x keys y")
    assert [hidden.covers(line, 17) for line in (1, 2, 3)] == [False, False, False]
    assert hidden.cut(1, "set my_password x") == "set my_password x"
