"""Asks init scripts for their `status`, many at a time, where no file tells where a service is.

Exit statuses: LSB Core, Init Script Actions, https://refspecs.linuxfoundation.org/lsb.shtml.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Command, Finished, Observation, Status
from inspect_agent.ports import Question
from inspect_agent.typed import NamedTuple, TypeVar

LIMIT_S = 5
"""One script's deadline; they run side by side."""
WORDS_MAX = 200

# a line for each script, in one piece: `2 0 apache2 is running.`; its exit status comes by a way of
# its own, for what outlives the deadline may still be talking
_ASK = r"""
limit=$1; shift; n=0
for script; do
    n=$((n + 1))
    printf '%s %s\n' "$n" "$(
        {
            {
                timeout -k 1 "$limit" "$script" status 2>&1 </dev/null 3>&-
                printf '%s ' "$?" >&3
            } | tail -c 600 | tr -c '[:print:]' ' '
        } 3>&1
    )" &
done
wait
"""
_LINE = re.compile(r"(\d{1,6}) (\d{1,3}) (.*)")
_USAGE = re.compile(r"\busage\b", re.IGNORECASE)
_TIMED_OUT = (124, 137)  # timeout(1)
# 1 is to mean that a PID file was left behind, but many scripts end so for whatever does not run
_LSB: Mapping[int, Status] = {0: "up", 1: "down", 2: "failed", 3: "down"}

A = TypeVar("A")


class Answer(NamedTuple):
    """How a script's `status` ended, and the last words that it printed."""

    exit_status: int
    words: str

    def is_usage(self) -> bool:
        """Whether it knows no such action."""
        return self.exit_status != 0 and _USAGE.search(self.words) is not None

    def said(self) -> str:
        """The same in a few words."""
        if self.exit_status in _TIMED_OUT:
            return f"its status action did not end within {LIMIT_S} s"
        if self.is_usage():
            return f"its script has no status action: {self.words}"
        return f"its status action says: {self.words or f'exit {self.exit_status}'}"


Answers = Mapping[str, Answer]


def ask(scripts: Sequence[str], then: Callable[[Answers], A]) -> Question[A]:
    """The question for the status of these scripts; `then` makes something of the answers."""
    argv = ("/bin/sh", "-c", _ASK, "status", str(LIMIT_S), *scripts)
    return Question(
        Command(argv, LIMIT_S * 3.0), lambda finished: then(parse_answers(scripts, finished))
    )


def parse_answers(scripts: Sequence[str], finished: Finished) -> Answers:
    """Answers by script; one may be missing. Raises ManagerError for what is none."""
    if finished.exit_status != 0:
        words = finished.stderr.strip().split("\n")[-1] or f"exit status {finished.exit_status}"
        raise ManagerError(f"status of init scripts: {words}")
    found = {}
    for line in filter(None, finished.stdout.split("\n")):
        match = _LINE.fullmatch(line)
        if match is None or not 0 < int(match[1]) <= len(scripts):
            raise ManagerError(f"status of init scripts: {line[:80]!r}")
        words = " ".join(match[3].split())[-WORDS_MAX:]
        found[scripts[int(match[1]) - 1]] = Answer(int(match[2]), words)
    return found


def observe(answer: Answer | None) -> Observation:
    """Where a service is by its script's word alone, whose `not running` may be a crash."""
    if answer is None:
        return Observation("unknown", reason="its status action said nothing")
    status = "unknown" if answer.is_usage() else _LSB.get(answer.exit_status, "unknown")
    if status == "down":
        return Observation("down", reason=f"stopped or crashed: {answer.said()}", ambiguous=True)
    return Observation(status, reason=answer.said())
