"""Which programs supervisord restarts when they fail: its files tell, its XML-RPC does not."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping

from inspect_agent.errors import ManagerError
from inspect_agent.workers.supervisord_conf import Conf, add

_KINDS = ("program", "fcgi-program", "eventlistener")
_RESTARTS = ("unexpected", "true", "yes", "on", "1")


def autorestarts(conf: Conf) -> Mapping[str, bool]:
    """For each group, whether all its programs are restarted.

    What cannot be used is left out, and so are values that only supervisord can expand.
    """
    for path in _included(conf):
        try:
            add(conf.sections, path)
        except ManagerError:
            continue
    programs = dict(_programs(conf))
    groups = dict(_groups(conf))
    grouped = {program for members in groups.values() for program in members}
    alone = {program: [program] for program in programs if program not in grouped}
    return {
        group: all(programs.get(program, False) for program in members)
        for group, members in {**alone, **groups}.items()
    }


def _included(conf: Conf) -> Iterator[str]:
    for pattern in (_value(conf, "include", "files") or "").split():
        yield from sorted(glob.glob(os.path.join(conf.folder, pattern)))


def _programs(conf: Conf) -> Iterator[tuple[str, bool]]:
    for section in conf.sections.sections():
        kind, _, name = section.partition(":")
        if kind in _KINDS:
            value = conf.sections.get(section, "autorestart", fallback="unexpected")
            yield name.strip(), value.lower() in _RESTARTS


def _groups(conf: Conf) -> Iterator[tuple[str, list[str]]]:
    for section in conf.sections.sections():
        kind, _, name = section.partition(":")
        if kind == "group":
            members = (_value(conf, section, "programs") or "").split(",")
            yield name.strip(), [member.strip() for member in members]


def _value(conf: Conf, section: str, option: str) -> str | None:
    try:
        return conf.value(section, option)
    except ManagerError:
        return None
