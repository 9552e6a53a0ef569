"""The only module that reads time; everything else is given `now`.

Intervals are measured on CLOCK_BOOTTIME: it goes on while the machine is suspended and nobody
can set it. Wall time is for people.
"""

from __future__ import annotations

import time

_BOOT_ID = "/proc/sys/kernel/random/boot_id"

if hasattr(time, "CLOCK_BOOTTIME"):

    def now() -> float:
        """Seconds since the machine booted, suspension included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:  # no CLOCK_BOOTTIME outside Linux

    def now() -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()


def wall() -> float:
    """Seconds since 1970-01-01 UTC, as the machine believes."""
    return time.time()


def cpu_s() -> float:
    """CPU seconds that this process has used."""
    return time.process_time()


def boot_id() -> str:
    """A text that is another one after each boot; empty where the system has none."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def utc_text(wall_s: float) -> str:
    """`wall_s` as 2026-11-21T09:48:51Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_s))


def stamp(wall_s: float) -> str:
    """`wall_s` as 2026-11-21T09:48:51.123Z, for the log."""
    return f"{utc_text(wall_s)[:-1]}.{int(wall_s % 1 * 1000):03d}Z"


def local_text(wall_s: float) -> str:
    """`wall_s` as people on this machine read it: 2026-11-21 09:48:51 +0000."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(wall_s))
