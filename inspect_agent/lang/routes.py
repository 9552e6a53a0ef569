"""`send alerts [to ROUTE] via CHANNEL [with PARAMS]`: destinations, one a recipient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from inspect_agent.lang import ast, channel_params
from inspect_agent.lang.channel_params import Reading
from inspect_agent.lang.given import FileValue
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Wrong
from inspect_agent.lang.report import Report
from inspect_agent.lang.vocabulary import Vocabulary
from inspect_agent.model.config import Destination

GONE = ("hipchat", "campfire", "flowdock")
"""Chat services that were shut down; what was sent there goes to the log."""


class Resolver:
    """Makes destinations of statements, and says what is wrong with them."""

    def __init__(self, vocabulary: Vocabulary, value_of: FileValue, report: Report) -> None:
        self._vocabulary = vocabulary
        self._value_of = value_of
        self._report = report

    def resolve(self, statements: Iterable[ast.Statement]) -> tuple[Destination, ...]:
        """Every destination; the default route gets the log where it has none."""
        sends = [statement for statement in statements if isinstance(statement, ast.Send)]
        found = [destination for send in sends for destination in self._send(send)]
        if all(destination.route for destination in found):
            found.append(Destination("", "", "log", False))
        return tuple(_keyed(found))

    def _send(self, send: ast.Send) -> Iterator[Destination]:
        route, channel = send.route.text if send.route else "", send.channel.text
        words = self._vocabulary.channels.get(channel)
        if send.route and not route.strip():
            self._report.error(send.route, Wrong("the route has no name", "leave out to"))
        if words is not None:
            reading = Reading(send, words, self._report, self._value_of)
            for params in channel_params.combined(reading):
                yield Destination("", route, channel, words.incidents, tuple(params.items()))
        elif channel in GONE:
            wrong = Wrong("the service {} no longer exists", "its alerts go to the log")
            self._report.warning(send.channel, wrong)
            yield Destination("", route, "log", False)
        else:
            self._report.error(send.channel, self._unknown(channel))

    def _unknown(self, channel: str) -> Wrong:
        if planned("channel", channel):
            return not_yet(f"the channel {channel}")
        return Wrong("unknown channel {}", "", Near(channel, self._vocabulary.channels))


def declared(statements: Iterable[ast.Statement], report: Report) -> dict[str, str]:
    """The names of all routes, each with the place of its first `send`."""
    places: dict[str, str] = {}
    for statement in statements:
        if isinstance(statement, ast.Send) and statement.route:
            places.setdefault(statement.route.text, report.place(statement.word))
    return places


def _keyed(destinations: Iterable[Destination]) -> Iterator[Destination]:
    seen: Counter[str] = Counter()
    for destination in destinations:
        key = f"{destination.route or 'default'}/{destination.channel}"
        seen[key] += 1
        yield destination._replace(key=key if seen[key] == 1 else f"{key}/{seen[key]}")
