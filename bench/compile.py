"""What reading a large configuration costs: time, memory, and what is left of it in the agent.

    python -m bench.compile [--files 10000] [--runs 3]

Each file has six lines: a check and five rules. `check` is `inspectctl check`, `worker` the
compiler that the agent starts; their memory ends with them. What stays in the agent is set beside
what the same rules take in a process that does nothing but hold them.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import inspect_agent
from bench.cycle import Agent

BUDGET = "≤ 6 s and ≤ 300 MB for 10,000 files"
CONF = "send alerts via null\nsend alerts to ops via null\nsend alerts to boss via null\n"
SIX_LINES = """\
check service {name} with owner ops, grace 1m
  if memory:rss > 500m for 2 cycles then restart
  if memory:total_rss > 1.5g until < 1.2g for 3 of 5 cycles then restart, alert boss as critical
  if cpu:user > 60% and cpu:system > 20% for 5m then alert  # busy
  if failed for 2 cycles then start, alert
  if restarted then alert as info
"""
# what the agent does with the worker's lines, and nothing else
HOLDS = """
import gc, json, sys
from inspect_agent.core import agent, metrics, watched
from inspect_agent import registry
from inspect_agent.model import wire
sources = [registry.load(where)() for where in registry.built_in("sources").values()]
catalogue = metrics.Catalogue(sources)
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before, held = rss(), []
for line in sys.stdin.buffer:
    kind, value = next(iter(json.loads(line).items()))
    if kind == "service":
        check = wire.model(value)
        service = watched.WatchedService(check, catalogue, 1e10)
        service.arm(check.rules, {})
        held.append(service)
gc.collect()
print(rss() - before)
"""


class Cost(NamedTuple):
    """Wall seconds, and megabytes (2**20 bytes) at the most."""

    seconds: float
    peak_mb: float


def write(folder: str, files: int) -> None:
    """A configuration of so many files."""
    os.makedirs(f"{folder}/services.d")
    with open(f"{folder}/inspect.conf", "w") as conf:
        conf.write(CONF)
    os.chmod(f"{folder}/inspect.conf", 0o600)
    for number in range(files):
        with open(f"{folder}/services.d/s{number:05}.inq", "w") as file:
            file.write(SIX_LINES.format(name=f"s{number:05}"))


def run(command: list[str], request: bytes, answers: str) -> Cost:
    """One run of a command that reads a request and writes into a file."""
    begun = time.monotonic()
    with open(answers, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output)
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.flush()
        _, status, usage = os.wait4(process.pid, 0)
        process.stdin.close()
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Cost(time.monotonic() - begun, usage.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    """The middle of each figure."""
    return Cost(*(statistics.median(figures) for figures in zip(*costs, strict=True)))


def rules_mb(answers: str) -> float:
    """What the services of the worker's answers take where nothing else is done with them."""
    with open(answers, "rb") as lines:
        held = subprocess.run(
            [sys.executable, "-c", HOLDS], stdin=lines, capture_output=True, check=True, text=True
        )
    return int(held.stdout) / 2**20


def agents_mb(folder: str, files: int) -> tuple[float, float]:
    """The core's resident memory with no rules, and after a reload that brings them."""
    shutil.move(f"{folder}/services.d", f"{folder}/later")
    agent = Agent(folder)
    try:
        before = agent.rss_mb()
        shutil.move(f"{folder}/later", f"{folder}/services.d")
        with open(f"{folder}/inspect.conf", "a") as conf:
            conf.write(CONF.partition("\n")[2])
        answer = json.loads(agent.ask("reload"))
        assert len(answer["ok"]["added"]) == files, answer
        time.sleep(5)  # the ledger takes the first word on 10,000 services
        return before, agent.rss_mb()
    finally:
        agent.end()


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=re.split(r"\n", __doc__ or "")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    compileall.compile_dir(os.path.dirname(inspect_agent.__file__), quiet=1)
    folder = tempfile.mkdtemp(prefix="inspect-bench-")
    try:
        _report(folder, options.files, options.runs)
    finally:
        shutil.rmtree(folder)


def _report(folder: str, files: int, runs: int) -> None:
    write(folder, files)
    answers = f"{folder}/answers"
    request = json.dumps({"root": folder, "state_dir": f"{folder}/state"}).encode() + b"\n"
    python = [sys.executable, "-m"]
    check = [*python, "inspect_agent.cli.ctl", "check", "--elsewhere", folder]
    worker = [*python, "inspect_agent.workers.compile"]
    print(f"{files} files of six lines, {BUDGET}")
    for name, command in (("check", check), ("worker", worker)):
        cost = median([run(command, request, answers) for _ in range(runs)])
        print(f"{name:>8} {cost.seconds:6.2f} s {cost.peak_mb:7.1f} MB at the most")
    rules = rules_mb(answers)
    before, after = agents_mb(folder, files)
    print(
        f"   agent {before:6.1f} MB without them, {after:.1f} MB with them:"
        f" {after - before:.1f} MB more; the rules alone take {rules:.1f} MB"
    )


if __name__ == "__main__":
    main()
