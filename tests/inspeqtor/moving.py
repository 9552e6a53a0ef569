"""An operator's files, moved over as they are, and what they then mean in few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from inspect_agent.lang.compile import Compiled, compile_folder
from inspect_agent.lang.problems import Problem, render
from inspect_agent.model.config import Config
from inspect_agent.model.rule import Alert, Comparison, Cycles, Repair, Rule

K, M, G, T, P = (1024**power for power in range(1, 6))
CORPUS = Path(__file__).parent / "corpus"
ROUTES = ("ops", "dba", "withers", "alerts", "thenceforth", "if-all-fails")
CONF = "\n".join(f"send alerts {to}via log" for to in ("", *(f"to {name} " for name in ROUTES)))


class Means(NamedTuple):
    """What a rule that Inspeqtor accepts can say: METRIC OP VALUE, so often in a row.

    value  in the metric's own unit: bytes, percent, or the number
    then   what is done, in the order in which it is written: `alert`, `alert ops`, `restart`
    """

    metric: str
    op: str
    value: float
    then: tuple[str, ...]
    cycles: int


def when(metric: str, op: str, value: float, *then: str, cycles: int = 1) -> Means:
    """As tests write it."""
    return Means(metric, op, value, then, cycles)


def meaning(rule: Rule) -> Means:
    """What a rule says; it must say no more than Inspeqtor's rules can."""
    condition, hold = rule.condition, rule.hold
    assert isinstance(condition, Comparison)
    assert isinstance(hold, Cycles)
    assert (condition.until, condition.rate, condition.amount.share) == (None, False, False)
    assert rule.otherwise == ()
    done = tuple(_action(rule, place) for place in range(len(rule.then)))
    return Means(str(condition.metric), condition.op, condition.amount.value, done, hold.n)


def _action(rule: Rule, place: int) -> str:
    action = rule.then[place]
    if isinstance(action, Alert):
        assert action.severity == "critical"
        return f"alert {action.route}".rstrip()
    assert isinstance(action, Repair)
    return action.verb


def moved(folder: Path, files: Mapping[str, str | Path]) -> Compiled:
    """What these files mean, by their places below the folder.

    Without an inspeqtor.conf every route that the corpus names is declared.
    """
    for place, file in {"inspeqtor.conf": CONF, **files}.items():
        path = folder / place
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.write_bytes(file.encode() if isinstance(file, str) else file.read_bytes())
        path.chmod(0o600)
    return compile_folder(str(folder))


def stems(folder: str) -> set[str]:
    """The names of a corpus folder's files, without their endings."""
    return {path.stem for path in (CORPUS / folder).iterdir()}


def sound(compiled: Compiled) -> Config:
    """The configuration, which must be without a problem."""
    assert compiled.config is not None, [render(problem) for problem in compiled.problems]
    return compiled.config


def first_lines(problems: Iterable[Problem]) -> list[str]:
    """Place and message of each problem."""
    return [render(problem).partition("\n")[0] for problem in problems]
