"""inspectctl metrics: what a rule may compare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inspect_agent import registry
from inspect_agent.cli import ctl
from inspect_agent.lang.planned import PLANNED
from inspect_agent.lang.vocabulary import installed

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
PLANNED_FAMILY = PLANNED["family"][0]
Captured = pytest.CaptureFixture[str]
RSS = """\
check service NAME
  memory: a service's resident memory
  from /proc/PID/stat

  memory:rss
    resident memory of the main process
    bytes b k m g t p %
    gauge: compared as it is
    if memory:rss > 500m then alert
"""


def test_one_metric(capsys: Captured) -> None:
    """All that there is to know of it; exit 0."""
    assert ctl.main(["metrics", "memory:rss"]) == 0
    assert capsys.readouterr() == (RSS, "")


def test_all_metrics(capsys: Captured) -> None:
    """Without a word every metric that is declared has its line."""
    assert ctl.main(["metrics"]) == 0
    out, err = capsys.readouterr()
    shown = [line.split()[0] for line in out.splitlines() if line.startswith("    ")]
    vocabulary = installed()
    fixed = [*vocabulary.metrics("host"), *vocabulary.metrics("service")]
    assert sorted(shown) == sorted([*fixed, "disk:MOUNT", *vocabulary.metrics("probe")])
    assert err == ""


def test_the_page_is_what_is_declared(capsys: Captured) -> None:
    """docs/metrics.md is written by `inspectctl metrics --format markdown > docs/metrics.md`."""
    assert ctl.main(["metrics", "--format", "markdown"]) == 0
    assert capsys.readouterr().out == PAGE.read_text(encoding="utf-8"), (
        "the declarations have changed: inspectctl metrics --format markdown > docs/metrics.md"
    )


def test_json(capsys: Captured) -> None:
    """For editors: every family in every scope, or those that were asked for."""
    assert ctl.main(["metrics", "--format", "json"]) == 0
    families = json.loads(capsys.readouterr().out)["families"]
    declared = installed().families
    assert {(found["scope"], found["family"]) for found in families} == set(declared)
    assert ctl.main(["metrics", "swap", "--format", "json"]) == 0
    assert [found["family"] for found in json.loads(capsys.readouterr().out)["families"]] == [
        "swap"
    ]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("memroy", "unknown family memroy\n    did you mean memory?\n"),
        ("memory:rsss", "unknown metric memory:rsss\n    did you mean memory:rss?\n"),
        ("xyzzy", "unknown family xyzzy\n    `inspectctl metrics` lists what there is\n"),
        ("\x1b[2J", "unknown family \ufffd[2J\n    `inspectctl metrics` lists what there is\n"),
        (
            PLANNED_FAMILY,
            f"not in this version: the metrics of {PLANNED_FAMILY}\n"
            "    `inspectctl metrics` lists what there is\n",
        ),
    ],
)
def test_words_that_name_nothing(capsys: Captured, word: str, said: str) -> None:
    """Exit 1, with the nearest word or the way to find it."""
    assert ctl.main(["metrics", word]) == 1
    assert capsys.readouterr() == ("", f"inspectctl metrics: {said}")


@pytest.mark.parametrize("arguments", [["memory", "swap"], ["--format", "yaml"]])
def test_wrong_usage(capsys: Captured, arguments: list[str]) -> None:
    """Exit 2."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(["metrics", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: inspectctl metrics ")


def test_a_source_that_is_broken(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told on standard error, and the others are shown."""
    sources = {"process": registry.built_in("sources")["process"], "broken": "no.such:Thing"}
    given = {"sources": sources, "managers": {}, "channels": {}}
    monkeypatch.setattr(registry, "built_in", lambda group: given[group])
    monkeypatch.setattr(registry, "channels", dict)
    assert ctl.main(["metrics", "memory:rss"]) == 0
    fault = "no.such:Thing, called broken, cannot be loaded: No module named 'no'"
    assert capsys.readouterr() == (RSS, f"inspectctl metrics: {fault}\n")
