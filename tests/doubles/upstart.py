"""The double of Upstart at work, on this machine or in a small one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.place import Place

INITCTL = Path(__file__).parent / "initctl.py"
_CHECKOUT = Path(__file__).parents[2]
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GUARD_S = 60.0


@contextmanager
def init(place: Place, folder: Path, jobs: Path) -> Iterator[None]:
    """What stands for init there, as long as this lasts; the folders are as it sees them."""
    argv = [sys.executable, "-m", "tests.doubles.upstart_init", str(folder), str(jobs)]
    process = place.popen(
        argv,
        env={"PATH": _PATH, "PYTHONPATH": str(_CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield
    finally:
        process.stdin.close()
        process.wait(_GUARD_S)
        process.stdout.close()
