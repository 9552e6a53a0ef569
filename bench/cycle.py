"""What watching costs: CPU per cycle, memory, time to notice a death, status, start.

    python -m bench.cycle [--services 10,100,1000] [--others 2000] [--cycles 30] [--kills 100]

Every service is a real process (sleep) behind a PID file, with the two rules of the README; the
agent is the real one on a 1 s cycle. CPU is what the scheduler counted for all its threads
(/proc/PID/task/*/schedstat), so it includes whatever the cycle wakes. Machines are noisy: compare
figures of one run.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from typing import NamedTuple, TextIO

import inspect_agent

BUDGETS = {
    10: ("≤ 1.2", "≤ 16", "≤ 10", "≤ 2", "≤ 0.5"),
    1000: ("≤ 25", "≤ 30", "≤ 20", "≤ 30", "≤ 1.5"),
}


class Figures(NamedTuple):
    """One row: milliseconds, megabytes (2**20 bytes), seconds."""

    cpu_ms: float
    rss_mb: float
    workers_pss_mb: float
    noticed_p50_ms: float
    noticed_p99_ms: float
    status_ms: float
    start_s: float


class Services:
    """Real processes behind PID files in a folder."""

    def __init__(self, folder: str, count: int) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        os.mkdir(f"{folder}/services.d")
        with open(f"{folder}/services.d/bench.inq", "w") as rules:
            for number in range(count):
                self._add(f"s{number:04}", rules)

    def _add(self, name: str, rules: TextIO) -> None:
        process = subprocess.Popen(["/bin/sleep", "infinity"])
        self.processes[name] = process
        with open(f"{self.folder}/{name}.pid", "w") as file:
            file.write(f"{process.pid}\n")
        rules.write(
            f"check service {name} with pidfile {self.folder}/{name}.pid\n"
            "  if memory:rss > 500m then alert\n"
            "  if cpu:user > 60% for 2 cycles then alert\n"
        )

    def end(self) -> None:
        """Ends the processes."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()


class Agent:
    """The real agent on a folder."""

    def __init__(self, folder: str) -> None:
        self.socket = f"{folder}/sock"
        with open(f"{folder}/inspect.conf", "w") as file:
            file.write(f"set cycle_time 1\nset state_dir {folder}/state\nsend alerts via null\n")
        os.chmod(f"{folder}/inspect.conf", 0o600)
        command = [sys.executable, "-m", "inspect_agent.cli.agent", "-c", folder, "-s", self.socket]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.await_line(r"watching \d+ services?")
        self.start_s = time.monotonic() - self.started

    def await_line(self, pattern: str) -> str:
        """The next line of its log that has the pattern."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if re.search(pattern, line):
                return line
        raise SystemExit("the agent ended")

    def cpu_s(self) -> float:
        """CPU seconds of all its threads."""
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path) as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def rss_mb(self) -> float:
        """Its resident memory."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return _kib(r"VmRSS:\s+(\d+)", file.read()) / 1024

    def workers_pss_mb(self) -> float:
        """The proportional memory of its workers, added up."""
        total = 0.0
        for pid in subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True
        ).stdout.split():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
                total += _kib(r"Pss:\s+(\d+)", file.read()) / 1024
        return total

    def ask(self, command: str) -> bytes:
        """An answer of its control socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            connection.sendall(json.dumps({"command": command}).encode() + b"\n")
            with connection.makefile("rb") as answer:
                return answer.read()

    def end(self) -> None:
        """Ends it as a service manager would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def _kib(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def measure(count: int, cycles: int, kills: int) -> Figures:
    folder = tempfile.mkdtemp(prefix="inspect-bench-")
    services = Services(folder, count)
    try:
        agent = Agent(folder)
        try:
            return _measure(agent, services, cycles, kills)
        finally:
            agent.end()
    finally:
        services.end()
        shutil.rmtree(folder)


def _measure(agent: Agent, services: Services, cycles: int, kills: int) -> Figures:
    time.sleep(3)  # the first cycles do more than the others
    before, begun = agent.cpu_s(), time.monotonic()
    time.sleep(cycles)  # so long is what is measured
    cpu_s = (agent.cpu_s() - before) / (time.monotonic() - begun)
    rss_mb = agent.rss_mb()
    status_ms = statistics.median(_status_ms(agent) for _ in range(15))
    names = list(services.processes)
    noticed = sorted(
        _noticed_ms(agent, services, names[number]) for number in range(min(kills, len(names)))
    )
    return Figures(
        cpu_s * 1000,
        rss_mb,
        agent.workers_pss_mb(),
        statistics.median(noticed),
        noticed[min(len(noticed) - 1, int(len(noticed) * 0.99))],
        status_ms,
        agent.start_s,
    )


def _status_ms(agent: Agent) -> float:
    begun = time.perf_counter()
    agent.ask("status")
    return (time.perf_counter() - begun) * 1000


def _noticed_ms(agent: Agent, services: Services, name: str) -> float:
    process = services.processes[name]
    killed = time.time()
    process.kill()
    line = agent.await_line(rf"{name}: process {process.pid} ended")
    process.wait()
    stamp = datetime.strptime(line.split()[0], "%Y-%m-%dT%H:%M:%S.%fZ")
    # the log's stamp is cut to milliseconds: an upper bound
    return (stamp.replace(tzinfo=timezone.utc).timestamp() - killed) * 1000 + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--services", default="10,100,1000")
    parser.add_argument("--others", type=int, default=0, help="unwatched processes beside them")
    parser.add_argument("--cycles", type=int, default=30)
    parser.add_argument("--kills", type=int, default=100)
    options = parser.parse_args()
    # compiling its modules would cost the first agent 5 MB and a second
    compileall.compile_dir(os.path.dirname(inspect_agent.__file__), quiet=1)
    others = [subprocess.Popen(["/bin/sleep", "infinity"]) for _ in range(options.others)]
    print(
        f"{'services':>8} {'CPU ms/cycle':>18} {'core RSS MB':>16} {'workers PSS':>12}"
        f" {'noticed ms p50/p99':>22} {'status ms':>14} {'start s':>14}"
    )
    try:
        for count in map(int, options.services.split(",")):
            _print(count, measure(count, options.cycles, options.kills))
    finally:
        for process in others:
            process.kill()
            process.wait()


def _print(count: int, row: Figures) -> None:
    cpu, rss, noticed, status, start = BUDGETS.get(count, ("",) * 5)
    print(
        f"{count:>8} {row.cpu_ms:>9.2f} {cpu:<8} {row.rss_mb:>8.1f} {rss:<7}"
        f" {row.workers_pss_mb:>11.1f} {row.noticed_p50_ms:>8.1f}/{row.noticed_p99_ms:<5.1f}"
        f" {noticed:<6} {row.status_ms:>7.1f} {status:<6} {row.start_s:>7.2f} {start:<6}",
        flush=True,
    )


if __name__ == "__main__":
    main()
