"""From `kill -9` to noticed and to running again, under a real systemd.

    python -m bench.notice [--services 1,1000] [--trials 100] [--seed 1]

Every service is a unit of its own (sleep) of a systemd that is PID 1 of its own namespaces, with
`if failed then start` and no hold; the agent there is the real one on a 1 s cycle, and none of the
units has Restart=. The kill comes at a random moment of the cycle. Noticed is the stamp of the
agent's line in its log; running again is the first time that another process is in the unit's
control group, which is looked at every millisecond. It takes root, and 2.5 seconds a trial.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import io
import math
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import inspect_agent
from tests.integration.components import COMPONENTS
from tests.integration.running import RunningAgent
from tests.integration.systemd_machine import SystemdMachine

CYCLE_S = 1.0
CHECKOUT = Path(__file__).resolve().parents[1]
STAMP_S = 0.001
"""The log's stamps are cut to milliseconds: so much is added, for an upper bound."""

_UNIT = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sleep infinity\n"
_SETTINGS = {"cycle_time": f"{CYCLE_S:g}s", "restarts": "100000/10m", "log_level": "info"}


class Trial(NamedTuple):
    """One kill: seconds until it was noticed, and until another process ran."""

    noticed_s: float
    running_s: float


class Services:
    """Units of a machine, each with its process."""

    def __init__(self, machine: SystemdMachine, count: int) -> None:
        self.names = [f"bench{number:04}" for number in range(count)]
        self._groups = machine.root / "sys/fs/cgroup/system.slice"
        for name in self.names:
            (machine.root / f"run/systemd/system/{name}.service").write_text(_UNIT)
        machine.systemctl("daemon-reload")
        for start in range(0, count, 100):
            machine.systemctl("start", *self.names[start : start + 100])

    def rules(self) -> str:
        """A check of each."""
        return "".join(f"check service {name}\n  if failed then start\n" for name in self.names)

    def process(self, name: str) -> int | None:
        """The PID of a unit's process, as this side of the namespaces counts."""
        try:
            text = (self._groups / f"{name}.service" / "cgroup.procs").read_text()
        except OSError:  # an empty group is removed
            return None
        return int(text.split()[0]) if text else None


def trial(agent: RunningAgent, services: Services, name: str, dice: random.Random) -> Trial:
    """Kills one service, and waits until the agent says that its start has succeeded."""
    time.sleep(dice.uniform(0.0, CYCLE_S))
    before = services.process(name)
    assert before is not None, f"{name} does not run"
    killed = time.time()
    os.kill(before, signal.SIGKILL)
    while services.process(name) in (None, before):
        time.sleep(0.001)
    running = time.time()
    noticed = agent.logged_at(rf"{name}: process \d+ ended") + STAMP_S
    agent.logged(f"{name}: start succeeded")
    return Trial(noticed - killed, running - killed)


def measure(count: int, trials: int, seed: int) -> list[Trial]:
    """So many kills among so many services."""
    visible = [CHECKOUT, Path(sys.prefix), Path(sys.base_prefix)]
    with SystemdMachine(visible) as machine, tempfile.TemporaryDirectory() as folder:
        services, dice = Services(machine, count), random.Random(seed)
        inside = Path("/run") / Path(folder).name
        agent = RunningAgent(
            inside, services.rules(), "send alerts via null", _SETTINGS, place=machine
        )
        with contextlib.redirect_stdout(io.StringIO()), agent:  # at its end it prints its log
            names = [services.names[number % count] for number in range(trials)]
            return [trial(agent, services, name, dice) for name in names]


def row(what: str, seconds: list[float]) -> str:
    """Median, 99th percentile and maximum, in milliseconds and as parts of a cycle."""
    ordered = sorted(seconds)
    p99 = ordered[math.ceil(len(ordered) * 0.99) - 1]
    figures = (statistics.median(ordered), p99, ordered[-1])
    times = "".join(f"{figure * 1000:>10.1f}" for figure in figures)
    ratios = "".join(f"{figure / CYCLE_S:>9.3f}" for figure in figures)
    return f"{what:<16}{times}   {ratios}"


def main() -> None:
    """Prints a table for each number of services."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", default="1,1000")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    hindered = COMPONENTS["systemd"].hindered()
    if hindered:
        print(f"bench.notice: no systemd of its own can be had here: {hindered}")
        return
    compileall.compile_dir(os.path.dirname(inspect_agent.__file__), quiet=1)
    head = "".join(f"{name:>10}" for name in ("p50 ms", "p99 ms", "max ms"))
    parts = "".join(f"{name:>9}" for name in ("p50", "p99", "max"))
    print(f"{'':>24}{head}   {parts} of a cycle")
    for count in map(int, options.services.split(",")):
        trials = measure(count, options.trials, options.seed)
        label = f"{count:>6}"
        print(f"{label}  {row('noticed', [one.noticed_s for one in trials])}")
        print(f"{'':>6}  {row('running again', [one.running_s for one in trials])}", flush=True)


if __name__ == "__main__":
    main()
