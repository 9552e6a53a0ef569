"""Conditions and holds in plain words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inspect_agent.engine.explain import About, alternatives, at_once, end, held, sentence
from inspect_agent.model.metric import Family, Metric, MetricId
from inspect_agent.model.rule import (
    AllOf,
    Amount,
    AnyOf,
    Comparison,
    Condition,
    Cycles,
    Fails,
    Hold,
    Op,
    OutOf,
    ServiceWord,
    Span,
    StateTest,
    Test,
)

MEMORY = Family(
    "memory",
    "service",
    (
        Metric("rss", "bytes", "gauge", "resident memory of the main process"),
        Metric("total_rss", "bytes", "gauge", "resident memory of all its processes"),
        Metric("swapped", "bytes", "gauge", "swapped out"),
    ),
)
CPU = Family("cpu", "service", (Metric("user", "percent", "usage", "the main process at work"),))
IO = Family("io", "service", (Metric("written", "bytes", "counter", "to disks"),))
DISK = Family("disk", "host", (), Metric("MOUNT", "percent", "gauge", "space in use"))
FAMILIES = {(family.scope, family.name): family for family in (MEMORY, CPU, IO, DISK)}
SIDEKIQ = About("service", "sidekiq", FAMILIES)
MACHINE = About("host", "", FAMILIES)
FAT = Comparison(MetricId("memory", "rss"), ">", Amount(524288000.0, "500m"))


def written(op: Op, value: float, *, rate: bool = False, until: Op | None = None) -> Comparison:
    """`io:written OP value`, until it is half as much."""
    half = Amount(value / 2, "") if until else None
    return Comparison(MetricId("io", "written"), op, Amount(value, ""), rate, until, half)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (FAT, "the resident memory of sidekiq's main process is over 500 MiB"),
        (
            FAT._replace(metric=MetricId("memory", "total_rss")),
            "the resident memory of all processes of sidekiq is over 500 MiB",
        ),
        (
            FAT._replace(metric=MetricId("memory", "swapped")),
            "memory:swapped of sidekiq (swapped out) is over 500 MiB",
        ),
        (
            FAT._replace(amount=Amount(0.205, "20.5%", share=True)),
            "the resident memory of sidekiq's main process is over 20.5 % of the machine's memory"
            " (or of what its control group allows, where that is less)",
        ),
        (
            FAT._replace(until_op="<=", until=Amount(419430400.0, "400m")),
            "the resident memory of sidekiq's main process is over 500 MiB (once that has"
            " triggered, until it is at most 400 MiB)",
        ),
        (
            Comparison(MetricId("cpu", "user"), ">=", Amount(60.0, "60%")),
            "cpu:user (sidekiq's main process at work) is at least 60 % (100 % is one core, busy"
            " ever since the sample before)",
        ),
        (
            Comparison(MetricId("cpu", "user"), "<", Amount(1.0, "1%"), False, ">", Amount(5, "")),
            "cpu:user (sidekiq's main process at work) is under 1 % (100 % is one core, busy ever"
            " since the sample before; once that has triggered, until it is over 5 %)",
        ),
        (
            written(">", 2048),
            "io:written of sidekiq (to disks) has grown by more than 2 KiB since the sample before",
        ),
        (
            written("<", 2048, rate=True),
            "io:written of sidekiq (to disks) has grown by less than 2 KiB a second since the"
            " sample before",
        ),
        (
            written(">", 2048, rate=True, until="<"),
            "io:written of sidekiq (to disks) has grown by more than 2 KiB a second since the"
            " sample before (once that has triggered, until it grows by less than 1 KiB a second)",
        ),
        (
            Fails("memory"),
            "the metrics of memory of sidekiq are failing (their source could not be asked, or"
            " answered badly)",
        ),
    ],
)
def test_a_test_of_a_service(test: Test, said: str) -> None:
    """What is compared, whose it is, and with what: nothing is left to be known."""
    assert sentence(test, SIDEKIQ) == said


@pytest.mark.parametrize(
    ("op", "level", "growth"),
    [
        (">", "over", "more than"),
        ("<", "under", "less than"),
        (">=", "at least", "at least"),
        ("<=", "at most", "at most"),
        ("==", "exactly", "exactly"),
        ("!=", "anything but", "anything but"),
    ],
)
def test_every_operator(op: Op, level: str, growth: str) -> None:
    """A gauge is at a level, a counter grows by an amount."""
    whose = "the resident memory of sidekiq's main process"
    assert sentence(FAT._replace(op=op), SIDEKIQ) == f"{whose} is {level} 500 MiB"
    grown = f"has grown by {growth} 2 KiB since the sample before"
    assert sentence(written(op, 2048), SIDEKIQ) == f"io:written of sidekiq (to disks) {grown}"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("down", "down (not running, whatever the reason)"),
        (
            "failed",
            "failed (not running although it should be: crashed, given up by its manager, in its"
            " restart loop, or gone)",
        ),
        (
            "restarted",
            "restarted (its process was replaced since the last cycle, not by this agent)",
        ),
        (
            "stale",
            "stale (its working directory is not in the release that `release` points to)",
        ),
        (
            "outdated",
            "outdated (its program or a library that it uses was replaced since it started)",
        ),
    ],
)
def test_every_state(word: ServiceWord, said: str) -> None:
    """The word itself, and what it means."""
    assert sentence(StateTest(word), SIDEKIQ) == f"sidekiq is {said}"
    assert sentence(StateTest(word), SIDEKIQ, "has been") == f"sidekiq has been {said}"


def test_the_machine() -> None:
    """Its metrics belong to nobody."""
    full = Comparison(MetricId("disk", "/var"), ">", Amount(90.0, "90%"))
    assert sentence(full, MACHINE) == "disk:/var (space in use) is over 90 %"
    failing = "failing (their source could not be asked, or answered badly)"
    assert sentence(Fails("disk"), MACHINE) == f"the metrics of disk are {failing}"
    assert sentence(Fails("disk"), MACHINE, "has been") == (
        f"the metrics of disk have been {failing}"
    )


def test_a_metric_of_no_family() -> None:
    """Is told, for nobody could say what it is."""
    with pytest.raises(LookupError, match="no family declares memory:rsss"):
        sentence(FAT._replace(metric=MetricId("memory", "rsss")), SIDEKIQ)


@pytest.mark.parametrize(
    ("hold", "said", "over"),
    [
        (Cycles(1), "in a single sample", "with the first sample that says otherwise"),
        (Cycles(2), "in 2 consecutive samples", "with the first sample that says otherwise"),
        (
            OutOf(3, 5),
            "in 3 of the last 5 samples",
            "when the latest sample says otherwise and fewer than 3 of 5 say so",
        ),
        (
            Span(300.0),
            "in every sample for 5 minutes",
            "with the first sample that says otherwise",
        ),
    ],
)
def test_every_hold(hold: Hold, said: str, over: str) -> None:
    """In how many samples it has to be true, and when it is over."""
    assert (held(hold), end(FAT, hold)) == (said, over)


def test_what_needs_no_hold() -> None:
    """A span of a second is no single cycle, although these tuples are equal."""
    assert at_once(Cycles(1))
    assert not any(at_once(hold) for hold in (Cycles(2), Span(1.0), OutOf(1, 1)))


def test_what_is_over_at_once() -> None:
    """What cannot be true without `restarted`."""
    restarted = StateTest("restarted")
    assert end(AllOf((restarted, FAT)), Cycles(1)) == "at once"
    assert end(AnyOf((restarted, FAT)), Cycles(1)) == "with the first sample that says otherwise"


@pytest.mark.parametrize(
    ("condition", "ways"),
    [
        (FAT, ((FAT,),)),
        (AllOf((FAT, StateTest("down"))), ((FAT, StateTest("down")),)),
        (AnyOf((FAT, StateTest("down"))), ((FAT,), (StateTest("down"),))),
        (
            AnyOf((AllOf((FAT, Fails("cpu"))), StateTest("down"))),
            ((FAT, Fails("cpu")), (StateTest("down"),)),
        ),
    ],
)
def test_alternatives(condition: Condition, ways: tuple[tuple[Test, ...], ...]) -> None:
    """`and` binds tighter than `or`."""
    assert alternatives(condition) == ways


def test_the_core_does_without() -> None:
    """Explaining costs the running agent nothing."""
    code = "import sys, inspect_agent.core.main; print([n for n in sys.modules if 'explain' in n])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
