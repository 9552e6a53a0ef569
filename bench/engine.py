"""What the engine costs: µs of CPU for each of the things it does in every cycle.

    python bench/engine.py

DESIGN allows 20 µs a service with two rules and three series, reading /proc included; the last
line is the engine's share of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from timeit import repeat

from inspect_agent.engine import condition, rules, services
from inspect_agent.engine.condition import CLEAR, FROZEN, TRIPPED
from inspect_agent.engine.history import RING, Series, series
from inspect_agent.engine.rules import CALM
from inspect_agent.engine.services import Seen, ServiceState
from inspect_agent.model.metric import Kind, MetricId
from inspect_agent.model.rule import (
    Alert,
    AllOf,
    Amount,
    Comparison,
    Condition,
    Cycles,
    OutOf,
    Repair,
    Rule,
    ServiceWord,
)
from inspect_agent.model.target import Process

BUDGET_US = 20.0
TIMES, ROUNDS = 50_000, 5
RSS, USER, SYSTEM = MetricId("memory", "rss"), MetricId("cpu", "user"), MetricId("cpu", "system")
KINDS: dict[MetricId, Kind] = {RSS: "gauge", USER: "usage", SYSTEM: "usage"}

FAT = Comparison(RSS, ">", Amount(500.0 * 1024**2, "500m"))
BUSY = Comparison(USER, ">", Amount(60.0, "60%"))
LATCHED = FAT._replace(until_op="<", until=Amount(400.0 * 1024**2, "400m"))
RATE = BUSY._replace(rate=True)


class Service:
    """Three series with full rings, as the facts of its two rules."""

    memory_bytes = 2.0**34

    def __init__(self) -> None:
        self.all = {metric: series(kind) for metric, kind in KINDS.items()}
        self._clock = count(1)
        for _ in range(RING + 1):
            self.sample()

    def series(self, metric: MetricId) -> Series:
        """The series of a metric."""
        return self.all[metric]

    def fails(self, family: str) -> bool | None:
        """Nothing fails."""
        return False

    def word(self, word: ServiceWord) -> bool | None:
        """No state is true."""
        return False

    def sample(self) -> None:
        """One sample of each, 15 s after the ones before."""
        now = next(self._clock) * 15.0
        self.all[RSS].add(131.0 * 1024**2, now)
        self.all[USER].add(now * 0.1, now)
        self.all[SYSTEM].add(now * 0.02, now)


def rule(test: Condition, hold: Cycles | OutOf) -> Rule:
    """A rule that restarts and alerts."""
    return Rule("", "", "", test, hold, (Repair("restart", "x"), Alert("")))


def cost_us(call: Callable[[], object]) -> float:
    """CPU time of one call, in µs: the best of some rounds, without the loop around it."""
    timer = time.process_time
    empty = min(repeat(lambda: None, timer=timer, number=TIMES, repeat=ROUNDS))
    full = min(repeat(call, timer=timer, number=TIMES, repeat=ROUNDS))
    return (full - empty) / TIMES * 1e6


def adding(metric: MetricId, per_sample: float) -> Callable[[], object]:
    """Adds one sample after another to a series whose ring is full."""
    one, clock = Service().series(metric), count(RING * 100)

    def add() -> None:
        now = float(next(clock))
        one.add(now * per_sample, now)

    return add


def judging(test: Condition) -> Callable[[], object]:
    """Judges a compiled condition."""
    judge = condition.build(test, Service())
    return lambda: judge(False)


def a_cycle() -> Callable[[], object]:
    """What a calm service with two rules costs in a cycle."""
    service = Service()
    watched = [
        (one, condition.build(one.condition, service))
        for one in (rule(FAT, Cycles(1)), rule(BUSY, Cycles(2)))
    ]

    def cycle() -> None:
        service.sample()
        for one, judge in watched:
            rules.step(one, CALM, judge(False), 15.0)

    return cycle


def main() -> None:
    """Prints the table."""
    once, some = rule(FAT, Cycles(3)), rule(FAT, OutOf(3, 5))
    pending = rules.step(once, CALM, TRIPPED, 0.0)[0]
    failed = rules.step(rule(FAT, Cycles(1)), CALM, TRIPPED, 0.0)[0]
    up = ServiceState("up", Process(10, 1.0), since=1.0, was_up=True)
    seen = Seen("up", Process(10, 1.0))
    rows: dict[str, Callable[[], object]] = {
        "Series.add, gauge": adding(RSS, 1.0),
        "Series.add, usage": adding(USER, 0.1),
        "compare": judging(FAT),
        "compare a rate": judging(RATE),
        "compare with until": judging(LATCHED),
        "and of two": judging(AllOf((FAT, BUSY))),
        "rules.step, OK and CLEAR": lambda: rules.step(once, CALM, CLEAR, 15.0),
        "rules.step, N of M, OK and CLEAR": lambda: rules.step(some, CALM, CLEAR, 15.0),
        "rules.step, OK and FROZEN": lambda: rules.step(once, CALM, FROZEN, 15.0),
        "rules.step, PENDING and TRIPPED": lambda: rules.step(once, pending, TRIPPED, 15.0),
        "rules.step, TRIGGERED and TRIPPED": lambda: rules.step(once, failed, TRIPPED, 15.0),
        "services.step, up and up": lambda: services.step(up, seen, 15.0),
        "services.tick": lambda: services.tick(up, 15.0),
    }
    for name, call in rows.items():
        print(f"{name:40} {cost_us(call):8.2f} µs")
    whole = cost_us(a_cycle())
    name = "a service: 3 series, 2 rules"
    print(f"{name:40} {whole:8.2f} µs   {whole / BUDGET_US:4.0%} of {BUDGET_US:g} µs")


if __name__ == "__main__":
    main()
