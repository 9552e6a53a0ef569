"""Series of a target, and what a source that fails does to them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from inspect_agent.core.happenings import Happenings
from inspect_agent.core.metrics import Catalogue, Metrics
from inspect_agent.core.watched import WatchedHost
from inspect_agent.engine.history import NOT_SAMPLED
from inspect_agent.errors import SourceError
from inspect_agent.model.metric import Family, Metric, MetricId, NoData, Value
from inspect_agent.model.rule import Alert, AnyOf, Condition, Cycles, Fails, Rule
from inspect_agent.model.target import HostCheck, Machine
from inspect_agent.ports import Reader, Subject

A, B = MetricId("probe", "a"), MetricId("probe", "b")


class Scripted:
    """A source whose every reading is set by the test, as its own reader."""

    families: tuple[Family, ...] = (
        Family(
            "probe",
            "host",
            (Metric("a", "number", "gauge", "a"), Metric("b", "number", "gauge", "b")),
        ),
        Family("mounts", "host", (), Metric("NAME", "number", "gauge", "any")),
    )

    def __init__(self) -> None:
        self.values: Sequence[Value] | Exception = (1.0, 2.0)
        self.refusal: Exception | None = None
        self.opened: list[tuple[MetricId, ...]] = []

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """Nothing by itself."""
        return ()

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """The source itself."""
        self.opened.append(tuple(metrics))
        if self.refusal is not None:
            raise self.refusal
        return self

    def read(self) -> Sequence[Value]:
        """What the test has set."""
        if isinstance(self.values, Exception):
            raise self.values
        return self.values

    def close(self) -> None:
        """Nothing is open."""


def sampled(source: Scripted) -> Metrics:
    """Both metrics, after one sample."""
    metrics = Metrics(Catalogue([source]), "host", (A, B))
    metrics.open(Machine())
    metrics.sample(0.0)
    return metrics


def latest(metrics: Metrics) -> list[Value]:
    """The latest value of each."""
    return [one.latest for one in metrics.series.values()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1.0, 2.0), False),
        ((1.0, NoData("none here")), False),
        ((1.0, NoData("cannot be read", failed=True)), True),
        ((NoData("none here"), NoData("none here")), None),
        (SourceError("no answer"), True),
        (ValueError("a mistake"), True),
        ((1.0,), True),
        ((1.0, 2.0, 3.0), True),
    ],
    ids=str,
)
def test_a_family_fails(values: Sequence[Value] | Exception, expected: bool | None) -> None:
    """When it could not be asked, or answered badly; not for want of something to measure."""
    source = Scripted()
    source.values = values
    metrics = sampled(source)
    assert metrics.fails("probe") is expected


def test_a_family_that_cannot_be_opened_fails() -> None:
    """With its reason as the value of each of its metrics."""
    source = Scripted()
    source.refusal = SourceError("no such thing")
    metrics = sampled(source)
    reason = NoData("SourceError: no such thing", failed=True)
    assert (metrics.fails("probe"), latest(metrics)) == (True, [reason, reason])
    assert metrics.trouble("probe") == reason.reason


def test_nobody_knows_before_the_first_sample() -> None:
    """Nor of a family of which nothing is measured."""
    metrics = Metrics(Catalogue([Scripted()]), "host", (A,))
    metrics.open(Machine())
    assert (metrics.fails("probe"), latest(metrics)) == (None, [NOT_SAMPLED])
    assert metrics.fails("mounts") is None


def test_a_wrong_count_of_values_harms_its_own_source_alone() -> None:
    """What it said is not taken for something else."""
    source = Scripted()
    source.values = (1.0,)
    metrics = sampled(source)
    first, second = latest(metrics)
    assert first == second
    assert isinstance(first, NoData)
    assert first.reason.startswith("ValueError: zip()")


def test_it_recovers() -> None:
    """With the next sample that has a value."""
    source = Scripted()
    metrics = sampled(source)
    answers = [metrics.fails("probe")]
    for values in (SourceError("away"), (3.0, 4.0)):
        source.values = values
        metrics.sample(1.0)
        answers.append(metrics.fails("probe"))
    assert answers == [False, True, False]


def host(condition: Condition, source: Scripted) -> WatchedHost:
    """A machine with one rule."""
    rule = Rule("k", "k", "host.inq:2", condition, Cycles(1), (Alert(""),))
    return WatchedHost(HostCheck(rules=(rule,)), Catalogue([source]), 0.0)


def test_a_rule_that_only_wants_it_to_fail_has_something_measured() -> None:
    """The family's first metric stands for it; one whose names come from the machine has them."""
    source = Scripted()
    watched = host(AnyOf((Fails("probe"), Fails("mounts"))), source)
    watched.metrics.open(Machine())
    assert source.opened == [(A,)]
    source.values = (5.0,)
    watched.metrics.sample(0.0)
    assert watched.fails("probe") is False


def test_the_event_says_why_it_fails() -> None:
    """The reason of the source is its detail."""
    source = Scripted()
    source.values = SourceError("connection refused")
    watched = host(Fails("probe"), source)
    watched.arm(watched.check.rules, {})
    watched.metrics.open(Machine())
    watched.metrics.sample(0.0)
    event = Happenings("m").rule("RuleFailed", watched, watched.rules[0], 0.0)
    assert (event.text, event.detail) == ("host: k is true", "SourceError: connection refused")
