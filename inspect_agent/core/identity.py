"""Who this agent is: the machine's id and name, and its state folder."""

from __future__ import annotations

import contextlib
import os
import socket

from inspect_agent.core.lock import hold
from inspect_agent.errors import LedgerError


def machine_id() -> str:
    """machine-id(5), or the host's name where there is none."""
    with contextlib.suppress(OSError), open("/etc/machine-id", encoding="ascii") as file:
        text = file.read().strip()
        if text:
            return text
    return socket.gethostname()


def hostname(wanted: str) -> str:
    """The name that is shown: the configured one, or the machine's own."""
    return wanted or socket.gethostname()


def claim_state(folder: str) -> int | None:
    """Makes the state folder and holds its lock; None where there is no such folder to be had.

    Raises LedgerError when another agent holds it: two would send everything twice.
    """
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return hold(f"{folder}/lock")
    except BlockingIOError:
        raise LedgerError(
            f"another agent keeps its state in {folder}; give this one its own `set state_dir`"
        ) from None
    except OSError:
        return None
