"""What the control socket answers: each command as one small function.

A command is given words (`sidekiq for 10m`) in both languages, and answers with something JSON can
hold; export/answers.py makes text of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from inspect_agent import __version__
from inspect_agent.core.control import Command, Reply
from inspect_agent.core.parts import Parts
from inspect_agent.core.request import Request
from inspect_agent.core.templates import meant
from inspect_agent.core.watched import Target
from inspect_agent.engine import silence
from inspect_agent.errors import ControlError
from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.typed import Any, Protocol

_DURATION = re.compile(r"(\d{1,9})\s*([smhd]?)")
_LONGEST_DAYS = 30
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Running(Protocol):
    """What commands ask of the agent itself."""

    parts: Parts

    def look_on_disk(self, then: Callable[[], None]) -> None:
        """Calls back when status knows which files are not loaded."""
        ...

    def status(self) -> dict[str, Any]:
        """Everything, as one dict."""
        ...

    def reload(self, reply: Reply) -> None:
        """Reads the configuration again; answers when it is in force, or why it is not."""
        ...

    def deploy_length_s(self) -> float:
        """How long a window lasts that nobody finishes."""
        ...


def commands(agent: Running) -> dict[str, Command]:
    """Every command by its words."""
    answers = _Answers(agent)
    table = {
        "status": Command(answers.status, False, "what is watched, and how it is"),
        "export": Command(answers.status, False, "the same as JSON"),
        "show": Command(answers.show, False, "TARGET METRIC: its last samples"),
        "version": Command(answers.version, False, "the agent's version"),
        "help": Command(answers.help, False, "this list"),
        "start deploy": Command(
            answers.start_deploy, True, "[SERVICE…] [for 10m]: nothing is judged, told or repaired"
        ),
        "finish deploy": Command(answers.finish_deploy, True, "[SERVICE…]: ends it"),
        "stop deploy": Command(answers.finish_deploy, True, "the same as finish deploy"),
        "unmonitor": Command(answers.unmonitor, True, "SERVICE…: leaves it alone"),
        "monitor": Command(answers.monitor, True, "SERVICE…: watches it again"),
        "reload": Command(answers.reload, True, "reads the configuration again"),
    }
    answers.table = table
    return table


class _Answers:
    def __init__(self, agent: Running) -> None:
        self._agent = agent
        self.table: dict[str, Command] = {}

    def status(self, request: Request, reply: Reply) -> None:
        _no_words(request)
        self._agent.look_on_disk(partial(self._describe, reply))

    def _describe(self, reply: Reply) -> None:
        try:
            reply(self._agent.status())
        except Exception:  # whoever asked waits, and the loop only reports what is raised
            reply(ControlError("something went wrong; the agent's log says what"))
            raise

    def version(self, request: Request, reply: Reply) -> None:
        _no_words(request)
        reply(__version__)

    def help(self, request: Request, reply: Reply) -> None:
        reply({name: command.help for name, command in self.table.items()})

    def show(self, request: Request, reply: Reply) -> None:
        words = _words(request)
        if len(words) != 2:
            raise ControlError("usage: show TARGET METRIC, as in: show sidekiq memory:rss")
        target = self._target(words[0])
        family, _, name = words[1].partition(":")
        metric = MetricId(family, name)
        series = target.metrics.series.get(metric)
        if series is None:
            known = ", ".join(str(metric) for metric in sorted(target.metrics.series))
            raise ControlError(f"{words[0]} has no metric {words[1]}; it has {known}")
        latest = series.latest
        reply(
            {
                "target": words[0],
                "metric": str(metric),
                "unit": target.metrics.units[metric],
                "values": series.values(),
                "reason": latest.reason if isinstance(latest, NoData) else "",
            }
        )

    def start_deploy(self, request: Request, reply: Reply) -> None:
        words = _words(request)
        length_s = self._agent.deploy_length_s()
        if len(words) >= 2 and words[-2] == "for":
            length_s, words = _duration_s(words[-1]), words[:-2]
        names = self._names(words)
        opened = partial(self._opened, names, length_s, reply)
        self._agent.parts.windows.start(names, length_s, opened)

    def _opened(self, names: tuple[str, ...], length_s: float, reply: Reply) -> None:
        """The window is on disk; the answer waits for the repairs that run."""
        answer = {"names": names, "for_s": length_s}
        services = self._agent.parts.world.services
        instances = [one.check.name for name in names for one in meant(name, services)]
        self._agent.parts.repairs.when_idle((*names, *instances), partial(reply, answer))

    def finish_deploy(self, request: Request, reply: Reply) -> None:
        names = self._names(_words(request))
        self._agent.parts.windows.finish(names, partial(reply, {"names": names}))

    def unmonitor(self, request: Request, reply: Reply) -> None:
        names = self._some_names(request)
        self._agent.parts.windows.unmonitor(names, partial(reply, {"names": names}))

    def monitor(self, request: Request, reply: Reply) -> None:
        names = self._some_names(request)
        self._agent.parts.windows.monitor(names, partial(reply, {"names": names}))

    def reload(self, request: Request, reply: Reply) -> None:
        _no_words(request)
        self._agent.reload(reply)

    def _target(self, name: str) -> Target:
        world = self._agent.parts.world
        if name == "host":
            return world.host
        target = world.services.get(name) or world.probes.get(name)
        if target is not None:
            return target
        if name in world.templates:
            instances = ", ".join(one.check.name for one in meant(name, world.services))
            raise ControlError(f"{name} stands for its instances: {instances or 'none now'}")
        raise ControlError(f"nothing named {name} is watched; try: host, {self._known()}")

    def _some_names(self, request: Request) -> tuple[str, ...]:
        names = self._names(_words(request))
        if not names:
            raise ControlError(f"usage: {request.command} SERVICE…; watched are {self._known()}")
        return names

    def _names(self, words: list[str]) -> tuple[str, ...]:
        silent = self._agent.parts.windows.silence
        for word in words:
            if word not in self._watched() and word not in silence.names(silent):
                raise ControlError(f"no service {word} is watched; there are {self._known()}")
        return tuple(words)

    def _watched(self) -> tuple[str, ...]:
        world = self._agent.parts.world
        return (*world.templates, *world.services, *world.probes)

    def _known(self) -> str:
        return ", ".join(self._watched()) or "no services"


def _words(request: Request) -> list[str]:
    words = request.args.get("words", [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ControlError('args are {"words": [TEXT, …]}')
    return words


def _no_words(request: Request) -> None:
    if _words(request):
        raise ControlError(f"{request.command} takes no words: {' '.join(_words(request))[:80]}")


def _duration_s(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]):
        raise ControlError(f"not a duration: {text[:40]}; write 90s, 10m or 1h")
    seconds = float(int(match[1]) * _SECONDS[match[2]])
    if seconds > _LONGEST_DAYS * 86400:
        raise ControlError(f"{text} is longer than {_LONGEST_DAYS}d; unmonitor lasts until monitor")
    return seconds
