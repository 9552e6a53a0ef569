"""The rules once more, written naively from their description.

The model keeps the whole list of what happened and looks back over it at every step. It is slow,
has no states of its own to get wrong, and must decide as `rules.step` does.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from inspect_agent.engine.condition import Outcome
from inspect_agent.engine.rules import Decision
from inspect_agent.model.rule import Cycles, Hold, Rule, Span

UNJUDGED = (Outcome.NO_DATA, Outcome.FROZEN)


class Sample(NamedTuple):
    """What one cycle said."""

    at: float
    outcome: Outcome


class Model:
    """One rule; `samples` is everything that counts since it was last at rest."""

    def __init__(self, rule: Rule, remind_s: float | None) -> None:
        self.rule = rule
        self.remind_s = remind_s
        self.samples: list[Sample] = []
        self.repair_samples: list[Sample] = []
        self.triggered = self.repair_running = False
        self.resume_at = self.told_at = 0.0

    def step(self, sample: Sample) -> Decision | None:
        """What a cycle asks for."""
        self.samples.append(sample)
        if sample.outcome in UNJUDGED and self.triggered:
            self._count(sample)
        if sample.outcome is Outcome.FROZEN:
            return None
        if not self.triggered:
            return self._judge(sample)
        if sample.outcome is Outcome.CLEAR:
            return self._clear(sample)
        if sample.outcome is Outcome.NO_DATA:
            return None
        return self._repeat(sample)

    def repair_ended(self, resume_at: float) -> None:
        """The repairs that were asked for have ended."""
        if self.repair_running:
            self.repair_running = False
            self.resume_at = resume_at
            self.repair_samples = []

    def process_replaced(self) -> None:
        """Only what the new process does may be a reason to repair it."""
        if self.rule.steps:
            self.repair_samples = []
            if not self.triggered:
                self.samples = []

    def _judge(self, sample: Sample) -> Decision | None:
        if sample.outcome is not Outcome.TRIPPED or not met(self.rule.hold, self.samples, 3):
            return None
        self.triggered = True
        self.told_at = sample.at
        self.repair_running = bool(self.rule.steps)
        self.resume_at = 0.0
        self.repair_samples = []
        return Decision.FAILED

    def _clear(self, sample: Sample) -> Decision | None:
        hold = self.rule.hold
        if not isinstance(hold, (Cycles, Span)) and trips(self.samples, hold.m) >= hold.n:
            self._count(sample)
            return None
        self.samples = []
        self.triggered = self.repair_running = False
        return Decision.RECOVERED

    def _repeat(self, sample: Sample) -> Decision | None:
        self._count(sample)
        if self.repair_samples and met(self.rule.hold, self.repair_samples, None):
            self.repair_running = True
            self.repair_samples = []
            return Decision.REPAIR_DUE
        if self.remind_s is not None and sample.at >= self.told_at + self.remind_s:
            self.told_at = sample.at
            return Decision.REMINDER
        return None

    def _count(self, sample: Sample) -> None:
        if self.rule.steps and not self.repair_running and sample.at >= self.resume_at:
            self.repair_samples.append(sample)


def met(hold: Hold, samples: list[Sample], blind: int | None) -> bool:
    """Whether the samples, the last of which tripped, meet a hold."""
    if not isinstance(hold, (Cycles, Span)):
        return trips(samples, hold.m) >= hold.n
    run = unbroken(samples, blind)
    if isinstance(hold, Cycles):
        return sum(sample.outcome is Outcome.TRIPPED for sample in run) >= hold.n
    return spanned(run) >= hold.seconds


def spanned(run: list[Sample]) -> float:
    """The seconds that trips span; the time before a sample that says nothing is left out."""
    return sum(
        after.at - before.at for before, after in pairwise(run) if after.outcome is Outcome.TRIPPED
    )


def trips(samples: list[Sample], most: int) -> int:
    """How many of the latest results tripped."""
    known = [sample for sample in samples if sample.outcome not in UNJUDGED]
    return sum(sample.outcome is Outcome.TRIPPED for sample in known[-most:])


def unbroken(samples: list[Sample], blind: int | None) -> list[Sample]:
    """From the first trip since the last CLEAR, or since so many NO_DATA in a row, on."""
    run: list[Sample] = []
    unknown = 0
    for sample in samples:
        if sample.outcome is Outcome.NO_DATA:
            unknown += 1
        elif sample.outcome is not Outcome.FROZEN:
            unknown = 0
        if sample.outcome is Outcome.CLEAR or unknown == blind:
            run = []
        elif run or sample.outcome is Outcome.TRIPPED:
            run.append(sample)
    return run
