"""Namespaces whose PID 1 is any command: a supervisor itself, or `tini` where something reaps."""

from __future__ import annotations

import os
import select
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.integration.namespaces import BootFailed, Finished, Inside, boot

BOOT_TIMEOUT_S = 60.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class SmallMachine(Inside):
    """When it has begun, PID 1 is about to become `init`: wait for what that offers."""

    def __init__(
        self, init: Sequence[str], prepare: str = ":", visible: Sequence[Path] = ()
    ) -> None:
        """`prepare` is a shell's script that runs before `init`, in the new root."""
        super().__init__(visible)
        self._init, self._prepare = init, prepare

    def tell(self, *argv: str) -> str:
        """What a command prints inside; it must succeed."""
        ran = self.run(argv)
        assert ran.returncode == 0, f"{' '.join(argv)}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def ask(self, argv: Sequence[str]) -> Finished:
        """How a command ended inside, in the environment that an agent gives it."""
        return self.run(argv, env={"LC_ALL": "C", "PATH": PATH})

    def _boot(self, stack: ExitStack) -> int:
        up, say_up = os.pipe()
        stack.callback(os.close, up)
        try:
            os.set_inheritable(say_up, True)
            enter = _enter(self._prepare, self._init, say_up)
            made = stack.enter_context(boot(enter, "", self._visible, (say_up,)))
        finally:
            os.close(say_up)
        select.select([up], [], [], BOOT_TIMEOUT_S)
        init = made.init()
        if os.read(up, 1) != b"!" or init is None:
            raise BootFailed(made.said())
        return init


def _enter(prepare: str, init: Sequence[str], say_up: int) -> str:
    inner = f"{prepare}; printf ! >&{say_up}; exec {say_up}>&-; exec {shlex.join(init)}"
    bounds = "setpriv --bounding-set=-sys_time,-sys_module"
    return f'exec {bounds} env -i PATH="$PATH" chroot . bash -ec {shlex.quote(inner)}'
