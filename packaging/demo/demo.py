"""`make demo`: a worker that leaks, watched once a second; half a minute, then nothing is left.

    demo.py [SECONDS]   how long it may take (30)

Exit status 0 when everything was seen, 1 when something was not, and why.
"""

from __future__ import annotations

import os
import signal
import sys
from textwrap import indent

from follow import Failed, Follow
from stage import Stage

from inspect_agent import clock

SECONDS = 30.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Plays the story; the exit status."""
    for number in SIGNALS:
        signal.signal(number, _interrupted)
    began, stage = clock.now(), Stage()
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    try:
        Story(stage, began).tell(began + seconds)
    except Failed as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        print(f"The last lines of the agent's log:\n{stage.last_lines()}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # nobody reads any more: there is no one to show the rest to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        stage.close()
    print(f"\nThat was all, in {clock.now() - began:.0f} seconds; no process and no file is left.")
    return 0


class Story:
    """What is shown, in its order; each step raises Failed when it does not happen."""

    log: Follow

    def __init__(self, stage: Stage, began: float) -> None:
        self._stage, self._began = stage, began

    def tell(self, until: float) -> None:
        """All of it, on a stage of its own."""
        stage = self._stage
        stage.prepare()
        print("A worker does jobs, and forgets 4 MB with each. It is watched by these rules:\n")
        print(indent(stage.rules(), "    "))
        self.log = stage.start(until)
        first = self._it_starts()
        second = self._it_leaks(first)
        third = self._it_is_killed(second)
        self._say("All is well again:")
        table = self._show_status(third)
        _expect("\n!" not in table.partition("Service:")[2], "a rule is still marked with “!”")
        stage.stop()
        self._say("The agent got SIGTERM and ended. What it watches would go on running.")

    def _it_starts(self) -> int:
        """Down → the agent starts it; the status table. The worker's PID."""
        self._say("inspect-agent starts, with a cycle of 1 s. The worker does not run yet.")
        self._show_alert("not running")
        self._say("The rule `if down then start` is true, so the agent starts it …")
        pid = self._repaired("start", before=0)
        self._say(f"… and has seen it stay up for a cycle: process {pid}.")
        self._show_status(pid)
        return pid

    def _it_leaks(self, before: int) -> int:
        """The memory rule trips → alert, restart, recovery. The new PID."""
        trip = self.log.wait("the memory rule trips", r"memory:rss > 50m is true \((.+)\)")
        self._say(f"The worker holds {trip.found[0]}: the memory rule trips.")
        self._show_alert("memory:rss > 50m", trip.number)
        pid = self._repaired("restart", before, trip.number)
        self._say(f"The agent restarted it: process {before} became process {pid}.")
        over = self.log.wait(
            "the memory rule recovers", r"memory:rss > 50m is over \((.+)\)", trip.number
        )
        self._say(f"It holds {over.found[0]}: the rule has recovered.")
        self._show_alert("memory:rss > 50m", over.number)
        return pid

    def _it_is_killed(self, before: int) -> int:
        """kill -9 → noticed at once, told, started again. The new PID."""
        self._say(f"Now somebody does `kill -9 {before}`.")
        after, killed_ms = self.log.count, int(clock.wall() * 1000)
        os.kill(before, signal.SIGKILL)
        death = self.log.wait("the death is noticed", rf"process {before} ended", after)
        self._say(
            f"The agent noticed it less than {death.at_ms - killed_ms + 1} ms later,"
            " by the stamp in its log."
        )
        self._show_alert("not running", after)
        start = self.log.wait("it is started again", r"leaky: start: ", after)
        self._say(
            "`if down then start` is judged in the next cycle:"
            f" started {start.at_ms - killed_ms} ms after the kill."
        )
        pid = self._repaired("start", before, after)
        self._say(f"It stays up: process {pid}.")
        self._show_alert("running again", after)
        return pid

    def _repaired(self, verb: str, before: int, after: int = 0) -> int:
        """Waits for a repair; the PID that it led to, which is new and the one in the PID file."""
        pattern = rf"leaky: {verb} succeeded, process (\d+)"
        pid = int(self.log.wait(f"a {verb} succeeds", pattern, after).found[0])
        _expect(pid != before, f"after the {verb} it is still process {pid}")
        written = self._stage.pid()
        _expect(pid == written, f"the agent says process {pid}, the PID file {written}")
        return pid

    def _show_alert(self, about: str, after: int = 0) -> None:
        """The alert, as the log channel brings it to the console."""
        alert = self.log.wait(f"an alert: {about}", rf"ALERT \S+ leaky: {about}", after)
        print(f"             {alert.text}", flush=True)

    def _show_status(self, pid: int) -> str:
        table = self._stage.inspectctl("status")
        _expect(f"Service: leaky [Up/{pid}]" in table, f"status does not show it up:\n{table}")
        print(f"\n    $ inspectctl status\n{indent(table, '    ')}", flush=True)
        return table

    def _say(self, text: str) -> None:
        print(f"[{clock.now() - self._began:4.1f} s]     {text}", flush=True)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


def _interrupted(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
