"""A machine on which supervisord runs programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.components import need
from tests.integration.conftest import CHECKOUT
from tests.integration.scandirs import until
from tests.integration.small_machine import SmallMachine

CONF = "etc/supervisor/supervisord.conf"
SOCKET = "run/supervisor.sock"
BY_SOCKET = f"""
[unix_http_server]
file=/{SOCKET}
[supervisorctl]
serverurl=unix:///{SOCKET}
"""
_CONF = """
[supervisord]
logfile=/run/supervisord.log
pidfile=/run/supervisord.pid
childlogdir=/run
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files = conf.d/*.conf
"""


class Supervised:
    """A machine whose PID 1 is no supervisor, so that supervisord can come and go."""

    def __init__(self, machine: SmallMachine) -> None:
        self.machine = machine

    def configure(self, server: str = BY_SOCKET) -> None:
        """Writes how supervisord is reached; `supervisorctl` then reaches it, too."""
        (self.machine.root / CONF).write_text(server + _CONF)

    def write(self, file: str, programs: str) -> None:
        """Writes conf.d/FILE.conf."""
        (self.machine.root / f"etc/supervisor/conf.d/{file}.conf").write_text(programs)

    def start(self) -> None:
        """Starts supervisord; it answers when this returns."""
        self.machine.tell("supervisord", "-c", f"/{CONF}")

    def stop(self) -> None:
        """Ends supervisord, and with it all its programs."""
        pid = self.daemon()
        self.ctl("shutdown")
        until(
            lambda: Path(f"/proc/{self.machine.pid}/root/proc/{pid}").exists(), lambda is_: not is_
        )

    def daemon(self) -> int:
        """Its own PID."""
        return int((self.machine.root / "run/supervisord.pid").read_text())

    def ctl(self, *words: str) -> str:
        """What supervisorctl says."""
        return self.machine.run(["supervisorctl", *words]).stdout

    def pids(self, *names: str) -> dict[str, int]:
        """The PIDs of these programs by their names, 0 where one has none."""
        return dict(zip(names, map(int, self.ctl("pid", *names).split()), strict=True))

    def pid(self, name: str) -> int:
        """The PID of a program, 0 where it has none."""
        return self.pids(name)[name]

    def state(self, name: str) -> str:
        """The state of a program, as supervisorctl says it."""
        return self.ctl("status", name).split()[1]

    def reach(self, name: str, state: str) -> None:
        """Waits until a program is in this state."""
        until(lambda: self.state(name), lambda now: now == state)

    def kill(self, name: str) -> int:
        """Kills a program; the PID that it had."""
        pid = self.pid(name)
        self.machine.tell("kill", "-KILL", str(pid))
        return pid


@contextmanager
def supervised(programs: str, server: str = BY_SOCKET) -> Iterator[Supervised]:
    """A machine whose supervisord runs these programs."""
    need("namespaces")
    need("supervisord")
    visible = [CHECKOUT, Path(sys.prefix), Path(sys.base_prefix)]
    prepare = "rm -rf /etc/supervisor; mkdir -p /etc/supervisor/conf.d"
    with SmallMachine(["tini", "--", "sleep", "infinity"], prepare, visible) as machine:
        held = Supervised(machine)
        held.configure(server)
        held.write("programs", programs)
        held.start()
        yield held


def program(name: str, command: str = "/bin/sleep 1000", *lines: str) -> str:
    """A program that is up as soon as it runs, unless its lines say otherwise."""
    return "\n".join([f"[program:{name}]", f"command={command}", "startsecs=0", *lines, ""])
