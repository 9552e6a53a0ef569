"""A configuration that is read again: asked for by a command, by SIGHUP, or by its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from inspect_agent.core.compiling import Compiled
from inspect_agent.core.control import Reply
from inspect_agent.core.log import Log
from inspect_agent.core.on_disk import OnDisk
from inspect_agent.errors import ControlError
from inspect_agent.model.config import Config
from inspect_agent.typed import Any

Compile = Callable[[Callable[[Compiled], None]], None]
Adopt = Callable[[Config, Sequence[str], Reply], None]


class Reloading:
    """One at a time.

    compile_   reads the configuration's folder
    adopt      puts a configuration in force, and answers with its warnings when that is done
    rejected   the problems of the files that were tried last; none where these are in force
    """

    def __init__(
        self, log: Log, on_disk: OnDisk, compile_: Compile, adopt: Adopt, rejected: tuple[str, ...]
    ) -> None:
        self._log, self._on_disk = log, on_disk
        self._compile, self._adopt = compile_, adopt
        self.rejected = rejected
        self._running = False
        self._next: list[Reply] = []

    def reload(self, reply: Reply) -> None:
        """Answers when the configuration is in force, or why it is not."""
        if self._running:  # what that has read may be older than what this one is for
            self._next.append(reply)
            return
        self._running = True
        self._compile(partial(self._compiled, reply))

    def hang_up(self) -> None:
        """SIGHUP."""
        self._log.info("reload, asked by SIGHUP")
        self.reload(_nobody_asked)

    def look(self) -> None:
        """Reloads when the files have changed."""
        self._on_disk.look(self._looked)

    def problems(self) -> list[str]:
        """What is wrong with the files, for status."""
        problems = []
        if self.rejected and self._on_disk.is_news():
            problems.append(
                "The configuration on disk had problems, and has changed since: inspectctl reload"
            )
        elif self.rejected:
            problems.append(
                "The configuration on disk has problems and is not in force:"
                " inspectctl check shows them"
            )
        if not self._on_disk.answers():
            problems.append("The configuration's folder does not answer: it may have changed")
        return problems

    def _looked(self) -> None:
        """What was tried is not tried again before something has changed."""
        if self._on_disk.is_news() and not self._running:
            self._log.info("reload: files of the configuration have changed")
            self.reload(_nobody_asked)

    def _compiled(self, reply: Reply, compiled: Compiled) -> None:
        self._running = False
        if self._next:
            waiting, self._next = self._next, []
            self.reload(partial(_answer_all, waiting))
        self.rejected = compiled.problems if compiled.config is None else ()
        if compiled.config is not None:
            self._adopt(compiled.config, compiled.warnings, reply)
            return
        problems = "\n".join(compiled.problems)
        refusal = f"{problems}\nnot reloaded: the running configuration stays"
        self._log.warn(refusal)
        reply(ControlError(refusal))


def _nobody_asked(answer: Any) -> None:
    """The log says what came of it."""


def _answer_all(replies: Sequence[Reply], answer: Any) -> None:
    for reply in replies:
        reply(answer)
