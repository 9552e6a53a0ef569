"""The notify worker: delivers messages, and holds no state but its destinations.

    in   {"configure": {"host": NAME, "destinations": [Destination, …]}}       first; may come again
         {"deliver": {"id": INT, "destination": KEY, "message_id": TEXT, "at": SECONDS,
                      "events": [Event, …]}}
    out  {"answer": {"id": INT, "outcome": "taken", "how": TEXT}}
         {"answer": {"id": INT, "outcome": "delayed", "reason": TEXT, "retry_after_s": S|null}}
         {"answer": {"id": INT, "outcome": "refused", "reason": TEXT}}

Destination and Event are values of the model (model/wire.py). Each delivery is answered once, when
it has ended; destinations do not wait for each other. What cannot be read is told on standard
error, or refused where it has an id, and the worker goes on. End of file ends it at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, TypeVar

from inspect_agent.alerting.delivery import Answer, Delivery, Outcome, Refused
from inspect_agent.alerting.digest import Row
from inspect_agent.alerting.text import one_line
from inspect_agent.errors import WorkerError
from inspect_agent.model import wire
from inspect_agent.model.config import Destination
from inspect_agent.model.event import Event
from inspect_agent.workers.lines import Lines, end_with_parent, leave_root


def main() -> None:
    """Serves the core until it closes its end."""
    leave_root()
    end_with_parent()
    lines = Lines()

    def answer(number: int, outcome: Outcome) -> None:
        how = type(outcome).__name__.lower()
        lines.write({"answer": {"id": number, "outcome": how, **outcome._asdict()}})

    delivery = Delivery(answer)
    for request in _requests(lines):
        try:
            _serve(request, delivery, answer)
        except WorkerError as error:
            _complain(error)
    # not sys.exit(): the interpreter would wait for the thread pools of libraries, hung ones too
    os._exit(0)


def _requests(lines: Lines) -> Iterator[dict[str, Any]]:
    """Every request, and a complaint for every line that is none."""
    while True:
        try:
            yield from lines
        except (WorkerError, RecursionError) as error:
            _complain(error)
        else:
            return


def _serve(request: dict[str, Any], delivery: Delivery, answer: Answer) -> None:
    """Does what one line asks for. Raises WorkerError where it cannot be read."""
    configure, deliver = request.get("configure"), request.get("deliver")
    if isinstance(configure, dict):
        delivery.configure(*_configuration(configure))
    elif isinstance(deliver, dict) and isinstance(deliver.get("id"), int):
        try:
            row = _row(deliver)
        except WorkerError as error:
            answer(deliver["id"], Refused(str(error)))
        else:
            delivery.deliver(deliver["id"], row)
    else:
        raise WorkerError("neither a configuration nor a delivery with a number")


def _configuration(value: dict[str, Any]) -> tuple[str, tuple[Destination, ...]]:
    host, destinations = value.get("host"), _models(value.get("destinations"), Destination)
    if not isinstance(host, str) or destinations is None:
        raise WorkerError("a configuration needs a host and destinations")
    return host, destinations


def _row(value: dict[str, Any]) -> Row:
    destination, message_id, at = (value.get(key) for key in ("destination", "message_id", "at"))
    events = _models(value.get("events"), Event)
    if (
        not isinstance(destination, str)
        or not isinstance(message_id, str)
        or not isinstance(at, (int, float))
        or not events
    ):
        raise WorkerError("a delivery needs a destination, a message_id, a time and events")
    return Row(destination, message_id, at, events)


M = TypeVar("M")


def _models(value: Any, kind: type[M]) -> tuple[M, ...] | None:
    """A list of values of one class of the model, or None where it is something else."""
    try:
        values = wire.model(value)
    except ValueError:
        return None
    if not isinstance(values, tuple) or not all(isinstance(item, kind) for item in values):
        return None
    return values


def _complain(error: Exception) -> None:
    """Tells the core's log; nothing of the line is repeated, for it may hold secrets."""
    print(f"notify: {one_line(str(error))}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
