"""`METRIC OP AMOUNT [until OP AMOUNT]`: the metric found, the amounts in its unit."""

from __future__ import annotations

import re
from typing import NamedTuple

from inspect_agent.lang import ast, metrics, units
from inspect_agent.lang.known import Around
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.units import Quantity
from inspect_agent.model.metric import Metric, MetricId
from inspect_agent.model.rule import Amount, Comparison, Condition, Op

_OPS: dict[str, Op] = {">": ">", "<": "<", ">=": ">=", "<=": "<=", "==": "==", "!=": "!="}
_BARE = re.compile(r'[^\s\ufeff,"()<>=!#][^\s\ufeff,"()<>=!]*')


class Resolved(NamedTuple):
    """A condition, as one would write it, and the one way to write it (for the rule's key)."""

    condition: Condition
    text: str
    canonical: str


def resolve(test: ast.Compare, around: Around) -> Resolved | None:
    """The comparison; None where something is wrong with it, and reported."""
    metric = metrics.find(test.metric, around)
    if metric is None:
        return None
    amount = _amount(test.amount, metric, around)
    until = _amount(test.until, metric, around) if test.until else None
    if amount is None or (test.until and until is None):
        return None
    if until and not _on_other_side(test, amount, until, around):
        return None
    return _resolved(test, amount, until)


def _resolved(test: ast.Compare, amount: Quantity, until: Quantity | None) -> Resolved:
    metric = MetricId(test.metric.family, test.metric.name)
    name = written(str(metric))
    first = f"{name} {test.op.text}"
    comparison = Comparison(metric, _OPS[test.op.text], _plain(amount), amount.rate)
    if until is None or test.until_op is None:
        return Resolved(comparison, f"{first} {amount.text}", f"{first} {amount.canonical}")
    second = f"until {test.until_op.text}"
    return Resolved(
        comparison._replace(until_op=_OPS[test.until_op.text], until=_plain(until)),
        f"{first} {amount.text} {second} {until.text}",
        f"{first} {amount.canonical} {second} {until.canonical}",
    )


def _amount(word: ast.Word, metric: Metric, around: Around) -> Quantity | None:
    quantity = units.amount(word.text, metric)
    if isinstance(quantity, Wrong):
        around.report.error(word, quantity)
        return None
    return quantity


def _on_other_side(test: ast.Compare, amount: Quantity, until: Quantity, around: Around) -> bool:
    """Whether `until` ends what the comparison began."""
    wrong = _until_fault(test.op.text, amount, test.until_op, until)
    if wrong and test.until:
        around.report.error(test.until, wrong)
    return wrong is None


def _until_fault(
    op: str, amount: Quantity, until_op: ast.Word | None, until: Quantity
) -> Wrong | None:
    if op in ("==", "!="):
        return Wrong(f"until goes with > and <, not with {op}")
    if (amount.share, amount.rate) != (until.share, until.rate):
        return Wrong(
            f"{{}} cannot be set against {amount.text}", "both in %, both with /sec, or neither"
        )
    end = "<" if op.startswith(">") else ">"
    beyond = until.value > amount.value if end == "<" else until.value < amount.value
    if beyond or until_op is None or not until_op.text.startswith(end):
        side = "at or below" if end == "<" else "at or above"
        return Wrong(
            "until on the wrong side",
            f"what begins with {op} {amount.text} ends with until {end} some amount "
            f"{side} {amount.text}",
        )
    return None


def _plain(quantity: Quantity) -> Amount:
    return Amount(quantity.value, quantity.text, quantity.share)


def written(metric: str) -> str:
    """The metric, quoted where it has to be."""
    if _BARE.fullmatch(metric):
        return metric
    return '"' + metric.replace("\\", "\\\\").replace('"', '\\"') + '"'
