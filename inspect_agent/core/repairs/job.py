"""What a rule wants done, and the step of it that is at hand."""

from __future__ import annotations

from collections.abc import Mapping

from inspect_agent.core.loop import Timer
from inspect_agent.model.rule import Hold, Repair, Run, Signal, Span, Step, Unmonitor
from inspect_agent.model.target import Process
from inspect_agent.typed import Literal

Phase = Literal["waiting", "running", "verifying"]


class Order:
    """The steps of one rule, from when it asks for them until they have ended.

    target   the name of the rule's own target: `host`, `service NAME`
    key      the rule's key
    place    where the rule is written
    rank     while they wait the highest goes first: how long the rule held, in seconds, and how
             often it was passed over
    about    what its commands are told of the event, as variables of their environment
    begun    its first step has begun, or was to
    paid     the targets whose budget has let it pass
    alone    it has unmonitored its own service, and goes on all the same
    """

    def __init__(
        self,
        target: str,
        key: str,
        place: str = "",
        rank: tuple[float, int] = (0.0, 0),
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.target, self.key, self.place = target, key, place
        self.rank = rank
        self.about = about or {}
        self.begun = False
        self.paid: set[str] = set()
        self.alone = False


class Job:
    """One step of an order.

    place    the name of the target that it is done to
    name     what it is called: `restart`, `signal TSTP`, `run (host.inq:3)`
    rest     what follows when it has succeeded
    before   the process that it found
    ready    its intent is on disk, or was waited for long enough
    good     the process that a repair brought up, and that has to stay
    """

    def __init__(
        self, order: Order, place: str, steps: tuple[Step, ...], before: Process | None
    ) -> None:
        self.order = order
        self.place = place
        self.step, self.rest = steps[0], steps[1:]
        self.name = named(self.step, order.place)
        self.before = before
        self.phase: Phase = "waiting"
        self.ready = False
        self.good: Process | None = None
        self.timer: Timer | None = None

    @property
    def repairs_it(self) -> bool:
        """Whether its order repairs its target, now or in a later step."""
        steps = (self.step, *self.rest)
        return any(
            isinstance(step, Repair) and place_of(step, self.order.target) == self.place
            for step in steps
        )

    @property
    def template(self) -> str:
        """What two instances of one template share."""
        return self.place.partition("@")[0]


def place_of(step: Step, target: str) -> str:
    """The name of the target that a step of this target's rule is done to."""
    return f"service {step.service}" if isinstance(step, Repair) else target


def named(step: Step, place: str) -> str:
    """What a step is called; a command is known by where it is written, for it may hold secrets."""
    if isinstance(step, Repair):
        return step.verb
    if isinstance(step, Signal):
        return f"signal {step.name}"
    return f"run ({place})" if isinstance(step, Run) else "unmonitor"


def costs(step: Step) -> bool:
    """Whether it takes its part of a budget."""
    return not isinstance(step, Unmonitor)


def held_s(hold: Hold, cycle_s: float) -> float:
    """Seconds that a hold takes at least."""
    return hold.seconds if isinstance(hold, Span) else hold.n * cycle_s
