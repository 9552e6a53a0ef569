"""Text to ast values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.lang import ast, parse
from inspect_agent.lang.ast import Word
from inspect_agent.lang.problems import render
from inspect_agent.lang.report import Findings, Report

WORDS = (
    *("check", "host", "service", "probe", "jobs", "with", "expose", "happens", "every", "grace"),
    *("if", "or", "and", "until", "fails", "for", "of", "cycles", "then", "else", "as", "alert"),
    *("restart", "reload", "start", "stop", "signal", "run", "unmonitor", "down", "memory:rss"),
    *("cpu", "(", ")", ",", ">", ">=", "==", "500m", "5", "%", "/sec", "minutes", "day", "x"),
    *('"y z"', '"', "owner", "#", "\n"),
)


def parsed(text: str) -> tuple[parse.Checks, list[str]]:
    """The checks of a text, and its problems."""
    findings = Findings()
    checks = parse.inq(text, Report("x.inq", text, findings))
    return checks, [render(problem) for problem in findings.errors]


def test_every_word_has_its_place() -> None:
    """A rule's words carry their line and column, from 1."""
    checks, problems = parsed('\n check service "a b"\n\tif cpu:user > 5 % then alert')
    (check,) = checks.checks
    (rule,) = check.rules
    assert problems == []
    assert (check.word, check.name) == (Word("check", 2, 2), Word("a b", 2, 16, quoted=True))
    assert rule.condition == (
        (
            ast.Compare(
                ast.Metric(Word("cpu:user", 3, 5), "cpu", "user"),
                Word(">", 3, 14),
                Word("5 %", 3, 16),
                None,
                None,
            ),
        ),
    )


def test_the_whole_grammar() -> None:
    """Every production is read, also those whose meaning is still to come."""
    checks, problems = parsed(
        """
        check service a@* with k v, url "a, b" expose b, "c d"
          if mysql:Queries > 1k/sec and stale or redis fails for 2 of 3 cycles
            then signal TSTP, run "x y" as nobody, unmonitor, restart b, alert c as info
            else alert
        check probe p with url x if tls:days < 14 then alert
        check jobs with owner ops
          backup happens every day with grace 5 minutes
          "check" happens every 2 hours
        """
    )
    service, probe, jobs = checks.checks
    (rule,) = service.rules
    assert problems == []
    assert [(param.key.text, param.value.text) for param in service.params] == [
        ("k", "v"),
        ("url", "a, b"),
    ]
    assert [word.text for word in service.expose] == ["b", "c d"]
    assert [[type(test).__name__ for test in tests] for tests in rule.condition] == [
        ["Compare", "State"],
        ["Fails"],
    ]
    assert [type(action).__name__ for action in rule.then] == [
        *("Manage", "Run", "Manage", "Manage", "Alert"),
    ]
    assert isinstance(rule.hold, ast.OutOf)
    assert len(rule.otherwise) == len(probe.rules) == 1
    assert [
        (job.name.text, job.times and job.times.text, job.period.text, job.grace and job.grace.text)
        for job in jobs.jobs
    ] == [("backup", None, "day", "5 minutes"), ("check", "2", "hours", None)]


def test_a_mistake_does_not_hide_what_is_sound() -> None:
    """Around a mistake everything else is read, with its place in the file."""
    checks, problems = parsed(
        "check service a\n if cpu > 5 then alert\n if oops\n if cpu > 6 then alert\n"
        "check srevice b\n if cpu > 7 then alert\ncheck service c\n"
    )
    assert not checks.whole
    assert [problem.split("\n")[0] for problem in problems] == [
        "x.inq:3:9: the statement ends too early",
        "x.inq:5:7: unexpected srevice",
    ]
    assert [
        (check.name and check.name.text, [rule.word.line for rule in check.rules])
        for check in checks.checks
    ] == [("a", [2, 4]), ("c", [])]


@pytest.mark.parametrize("word", ["check", "if", "with", "expose", "then", "for", "host", "alert"])
def test_keywords_are_names_where_a_name_has_to_be(word: str) -> None:
    """A keyword is a keyword only where the grammar wants one."""
    checks, problems = parsed(f"check service {word} with owner {word} if cpu > 5 then alert")
    assert problems == []
    (check,) = checks.checks
    assert check.name is not None
    assert (check.name.text, check.params[0].value.text, len(check.rules)) == (word, word, 1)


@pytest.mark.parametrize("word", ["as", "else", "if", "check"])
def test_keywords_are_quoted_where_a_name_may_be_left_out(word: str) -> None:
    """Where a name is optional the keyword wins; quoted it is a name."""
    checks, problems = parsed(f'check service x if cpu > 5 then alert "{word}", restart "{word}"')
    assert problems == []
    alert, restart = checks.checks[0].rules[0].then
    assert isinstance(alert, ast.Alert)
    assert isinstance(restart, ast.Manage)
    assert alert.route is not None
    assert restart.name is not None
    assert (alert.route.text, restart.name.text) == (word, word)


@pytest.mark.parametrize("word", ["as", "else", "if", "check"])
def test_the_problem_says_that_a_keyword_has_to_be_quoted(word: str) -> None:
    """A keyword that was meant as a name is told as such."""
    _, problems = parsed(f"check service x\n  if cpu > 5 then alert {word}\n")
    assert f'to be a name, {word} is quoted: "{word}"' in problems[0]


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
def test_words_in_any_order_are_read_or_told(text: str) -> None:
    """Whatever stands there, it is either read as a whole or there is a problem."""
    checks, problems = parsed(text)
    assert checks.whole == (not problems)


@given(st.text(alphabet='ab5%"\\#, \n()<>=!:./\ufeff', max_size=200))
def test_letters_in_any_order_are_read_or_told(text: str) -> None:
    """The same for letters, in both grammars."""
    checks, problems = parsed(text)
    assert checks.whole == (not problems)
    findings = Findings()
    statements = parse.conf(text, Report("inspect.conf", text, findings))
    assert statements.whole == (not findings.errors)
