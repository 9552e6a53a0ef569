"""Asks supervisord, or has it do something; then it ends.

    python -I -m inspect_agent.workers.supervisord look
    python -I -m inspect_agent.workers.supervisord start|stop|restart|reload NAME

`look` prints all processes, as managers/supervisord_process.py reads them; the others end when it
is done. What goes wrong is one line on standard error, and exit status 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from time import sleep  # noqa: TID251 (it reads no time)
from xmlrpc.client import Fault

from inspect_agent.alerting.text import one_line
from inspect_agent.errors import ManagerError
from inspect_agent.managers.detect import SUPERVISORD_CONFS
from inspect_agent.managers.supervisord_process import (
    Process,
    absence,
    by_group,
    find,
    read,
    reason,
    to_text,
)
from inspect_agent.workers.supervisord_conf import load, server
from inspect_agent.workers.supervisord_programs import autorestarts
from inspect_agent.workers.supervisord_rpc import Rpc

ANSWER_S = 5.0
"""For so long supervisord is waited for where it has nothing to wait for itself."""

_STOPPING_PAUSE_S = 0.1
_ALREADY_STARTED, _NOT_RUNNING = 60, 70  # supervisor.xmlrpc.Faults


class Service:
    """The process that a name is of.

    ask   for what is answered at once
    tell  for what is answered when it is done: only the worker's own deadline ends it
    """

    def __init__(self, name: str, ask: Rpc, tell: Rpc) -> None:
        self._name, self._ask, self._tell = name, ask, tell

    def see(self) -> Process:
        """Where it is. Raises ManagerError where there is none."""
        groups = by_group(processes(self._ask))
        process = find(self._name, groups)
        if process is None:
            raise ManagerError(absence(self._name, groups))
        return process

    def do(self, method: str, *arguments: str, done: int | None = None) -> None:
        """Has supervisord do it. The fault `done` says that nothing is left to do."""
        try:
            self._tell.call(method, self.see().full_name, *arguments)
        except Fault as fault:
            if fault.faultCode != done:
                raise ManagerError(f"{fault.faultString}; it is {reason(self.see())}") from fault


def start(service: Service) -> None:
    """Starts it, unless it runs; one that supervisord will try again later is tried now."""
    if service.see().statename in ("BACKOFF", "STOPPING"):
        stop(service)
    service.do("startProcess", done=_ALREADY_STARTED)


def stop(service: Service) -> None:
    """Stops it, or waits until it has been stopped."""
    while service.see().statename == "STOPPING":
        sleep(_STOPPING_PAUSE_S)  # nothing tells
    service.do("stopProcess", done=_NOT_RUNNING)


def restart(service: Service) -> None:
    """Stops it, and starts it again."""
    stop(service)
    start(service)


def reload(service: Service) -> None:
    """Sends it SIGHUP."""
    service.do("signalProcess", "HUP")


_VERBS: Mapping[str, Callable[[Service], None]] = {
    "start": start,
    "stop": stop,
    "restart": restart,
    "reload": reload,
}


def processes(rpc: Rpc) -> list[Process]:
    """All processes, as they are now."""
    try:
        return read(rpc.call("getAllProcessInfo"))
    except Fault as fault:
        raise ManagerError(str(fault.faultString)) from fault


def settled(ask: Callable[[], list[Process]]) -> list[Process]:
    """All processes; what has EXITED among them stays so.

    What supervisord restarts after it EXITED, it restarts at the end of the turn of its loop in
    which it was asked. So what was EXITED is asked for again.
    """
    ended: dict[str, Process] = {}
    while True:
        found = ask()
        fresh = {one.full_name: one for one in found if one.statename == "EXITED"}
        if fresh.keys() <= ended.keys():
            return [_restarted(one, ended.get(one.full_name)) for one in found]
        ended.update(fresh)


def _restarted(process: Process, ended: Process | None) -> Process:
    if ended is None or process.statename != "STARTING":
        return process
    return process._replace(spawnerr=ended.spawnerr or f"exit status {ended.exitstatus}")


def main(arguments: Sequence[str], confs: Sequence[str] = SUPERVISORD_CONFS) -> int:
    """The exit status."""
    verb = arguments[0]
    try:
        conf = load(confs)
        where = server(conf)
        ask = Rpc(where, ANSWER_S)
        if verb == "look":
            restarts = autorestarts(conf)
            found = settled(lambda: processes(ask))
            print(to_text(one._replace(comes_back=restarts.get(one.group, False)) for one in found))
        else:
            _VERBS[verb](Service(arguments[1], ask, Rpc(where, None)))
    except ManagerError as error:
        print(one_line(str(error)), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
