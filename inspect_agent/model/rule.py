"""Rules as the engine reads them: everything resolved, nothing left to look up."""

from __future__ import annotations

from inspect_agent.model.metric import MetricId
from inspect_agent.typed import Literal, NamedTuple, Union

Op = Literal[">", "<", ">=", "<=", "==", "!="]
Severity = Literal["info", "warning", "critical"]
Verb = Literal["restart", "reload", "start", "stop"]
ServiceWord = Literal["down", "failed", "restarted", "stale", "outdated"]


class Amount(NamedTuple):
    """What a metric is compared with.

    value   in the metric's own unit (bytes, percent, seconds, count); per second for a rate
    share   True: `value` is a fraction (0.2 for 20 %) of the memory: of the machine's, or of
            what the control group of the service allows
    text    as the user wrote it: `500m`, `60%`, `1k/sec`
    """

    value: float
    text: str
    share: bool = False


class Comparison(NamedTuple):
    """METRIC OP AMOUNT [until OP AMOUNT]; `rate`: the amount was written with /sec."""

    metric: MetricId
    op: Op
    amount: Amount
    rate: bool = False
    until_op: Op | None = None
    until: Amount | None = None


class StateTest(NamedTuple):
    """`down`, `failed`, `restarted`, `stale` or `outdated`."""

    word: ServiceWord


class Fails(NamedTuple):
    """`FAMILY fails`: its source could not be asked, or answered badly."""

    family: str


class AllOf(NamedTuple):
    """`a and b and c`."""

    tests: tuple[Condition, ...]


class AnyOf(NamedTuple):
    """`a or b or c`."""

    tests: tuple[Condition, ...]


Test = Union[Comparison, StateTest, Fails]
Condition = Union[Comparison, StateTest, Fails, AllOf, AnyOf]


def families(condition: Condition) -> tuple[str, ...]:
    """The families that its tests ask."""
    return tuple(
        test.metric.family if isinstance(test, Comparison) else test.family
        for test in tests(condition)
        if not isinstance(test, StateTest)
    )


def tests(condition: Condition) -> tuple[Test, ...]:
    """Its tests, in the order they are written."""
    if isinstance(condition, (AllOf, AnyOf)):
        return tuple(test for part in condition.tests for test in tests(part))
    return (condition,)


class Cycles(NamedTuple):
    """`for N cycles`: N tripped samples in a row. Without a hold: Cycles(1)."""

    n: int


class OutOf(NamedTuple):
    """`for N of M cycles`."""

    n: int
    m: int


class Span(NamedTuple):
    """`for 5m`: tripped samples that span so many seconds."""

    seconds: float


Hold = Union[Cycles, OutOf, Span]


class Alert(NamedTuple):
    """`alert [ROUTE] [as SEVERITY]`; `route` is resolved: the owner's, or "" for the default."""

    route: str
    severity: Severity = "critical"


class Repair(NamedTuple):
    """`restart [SERVICE]` and its like; `service` is resolved, never empty."""

    verb: Verb
    service: str


class Signal(NamedTuple):
    """`signal TSTP`: to the main process of its own service; `name` is without SIG."""

    name: str
    service: str


class Run(NamedTuple):
    """`run "CMD" [as USER]`, by /bin/sh; `user` is "" for the agent's own."""

    command: str
    user: str = ""


class Unmonitor(NamedTuple):
    """`unmonitor`: its own service is left alone until `inspectctl monitor`."""

    service: str


Step = Union[Repair, Signal, Run, Unmonitor]
"""What a rule does, one after the other; alerts go out at once."""

Action = Union[Alert, Step]


class Rule(NamedTuple):
    """One `if … then … [else …]`.

    key      canonical condition and hold; two rules of one check that share them get `#2`, …
             The state of a rule survives a reload as long as its key does.
    text     the condition and hold as one would write them: `memory:rss > 500m for 2 cycles`
    place    `services.d/sidekiq.inq:3`
    """

    key: str
    text: str
    place: str
    condition: Condition
    hold: Hold
    then: tuple[Action, ...]
    otherwise: tuple[Action, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The `then` actions that are no alerts, in the order they were written."""
        return tuple(action for action in self.then if not isinstance(action, Alert))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The `then` actions that are alerts, in the order they were written."""
        return tuple(action for action in self.then if isinstance(action, Alert))
