"""Services of runit, by the files of runsv(8) and the commands of sv(8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import path

from inspect_agent.errors import ManagerError
from inspect_agent.managers import scandir
from inspect_agent.managers.detect import RUNIT_FOLDERS, is_read
from inspect_agent.model.observation import Command, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations

_WORDS: Mapping[Verb, str] = {
    "start": "start",
    "stop": "stop",
    "restart": "restart",
    "reload": "hup",  # which every sv knows
}
_STATUS_BYTES = 20
_FINISH = 2
_SPARE_S = 1.0  # sv looks every 0.42 s, and gives up at the second look behind its time


class Runit:
    """Reads what runsv writes for sv, so it answers at once.

    A check's name is that of a folder where runsvdir looks. `root` is where the machine's files
    are, "" for this machine's own.
    """

    name = "runit"

    def __init__(self, root: str = "") -> None:
        self._root = root

    def look(self, checks: Sequence[ServiceCheck]) -> Observations:
        """Where these services are."""
        return {check.name: self._look(check.name) for check in checks}

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """What a look says, for it costs no more."""
        return {name: repr(seen) for name, seen in self.look(checks).items()}

    def loaded(self) -> Sequence[str]:
        """The services that a runsv supervises."""
        return [
            path.basename(folder)
            for folder in scandir.folders(self._root, RUNIT_FOLDERS)
            if is_read(f"{self._root}{folder}/supervise/ok")
        ]

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """`sv VERB`, which waits until it is done, and gives up before it is killed."""
        folder = scandir.find(self._root, RUNIT_FOLDERS, check.name)
        if folder is None:
            return None
        wait_s = max(0, int(check.timeout_s - _SPARE_S))
        return Command(("sv", "-w", str(wait_s), _WORDS[verb], folder), check.timeout_s)

    def _look(self, name: str) -> Observation:
        folder = scandir.find(self._root, RUNIT_FOLDERS, name)
        if folder is None:
            return scandir.absent(self._root, RUNIT_FOLDERS, name)
        try:
            return self._observe(folder)
        except ManagerError as error:
            return Observation("unknown", reason=str(error))

    def _observe(self, folder: str) -> Observation:
        inside = self._root + folder
        held = f"{inside}/supervise/ok"
        if is_read(held):
            status = scandir.read(f"{inside}/supervise/status", _STATUS_BYTES + 1)
            return observe(status, normally_up=not path.exists(f"{inside}/down"))
        if is_read(f"{inside}/supervise/control"):  # as s6-supervise does, which has no ok
            return Observation("absent", reason=f"another than runsv supervises {folder}")
        raise ManagerError(f"no runsv supervises {folder} ({scandir.unread(held)})")


def observe(status: bytes, *, normally_up: bool) -> Observation:
    """Where a service is, by its supervise/status, in the words of sv.

    The file holds the time of the last change (12 bytes), the PID (4, little-endian), and a byte
    each for paused, wanted (u or d), got TERM, and the state: update_status in runsv.c. It is of
    daemontools, but for the last two. Raises ManagerError for anything else.
    """
    if len(status) != _STATUS_BYTES or status[17:18] not in (b"u", b"d") or status[19] > _FINISH:
        raise ManagerError(f"supervise/status holds no status of runsv, but {status!r}")
    pid, paused, got_term = int.from_bytes(status[12:16], "little"), status[16], status[18]
    wanted, finishing = status[17:18] == b"u", status[19] == _FINISH
    words = {
        "run": pid and not finishing,
        "finish": pid and finishing,
        "down": not pid,
        "normally down": pid and not normally_up,
        "normally up": not pid and normally_up,
        "paused": pid and paused,
        "want up": not pid and wanted,
        "want down": pid and not wanted,
        "got TERM": pid and got_term,
    }
    reason = ", ".join(word for word, holds in words.items() if holds)
    if pid and not finishing:
        return Observation("up", pid, reason, restarts_itself=wanted)
    return Observation("starting" if wanted else "down", reason=reason, restarts_itself=wanted)
