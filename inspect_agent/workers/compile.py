"""Compiles a configuration: one request in, lines out, and the parser's memory ends with it.

    {"root": DIR, "state_dir": DIR or null}, or {"root": DIR, "bundle": PATH}
    →  {"files": {NAME: MARK, …}}, and then
       {"settings": …}, {"destination": …} …, {"host": …}, {"service": …} …, {"probe": …} …,
       {"warning": text} …, {"done": {"services": N}}
    or {"problem": text} …, {"warning": text} …, {"failed": {"problems": N, "state_dir": DIR}}

The marks (folder.py) are of the files that were to be read, taken before that; with a bundle they
are of the files of the folder that say what it says, and "?" for the others.

What compiled from a folder is remembered in `last-good.json`, in the state folder that it names or
else in the one of the request: its texts are large and hold secrets, so they never travel through
the core. `state_dir` of a failure is what the configuration names, or empty.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

from inspect_agent.errors import WorkerError
from inspect_agent.lang import bundle
from inspect_agent.lang.compile import Compiled, compile_bundle, compile_folder
from inspect_agent.lang.problems import render
from inspect_agent.model.config import Config
from inspect_agent.model.wire import plain
from inspect_agent.workers.lines import Lines, end_with_parent

LAST_GOOD = "last-good.json"


def answer(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The lines that answer a request. Raises WorkerError for another kind of request."""
    root, path, folder = request.get("root"), request.get("bundle"), request.get("state_dir")
    if not isinstance(root, str):
        raise WorkerError("no root to compile")
    compiled = compile_folder(root) if path is None else compile_bundle(path, root=root)
    yield {"files": compiled.marks}
    if compiled.config is None:
        yield from _failed(compiled)
        return
    yield from _config(compiled.config)
    yield from ({"warning": render(warning)} for warning in compiled.warnings)
    if isinstance(folder, str):
        yield from _remember(compiled, compiled.settings.state_dir or folder)
    yield {"done": {"services": len(compiled.config.services)}}


def _config(config: Config) -> Iterator[dict[str, Any]]:
    yield {"settings": plain(config.settings)}
    yield from ({"destination": plain(destination)} for destination in config.destinations)
    yield {"host": plain(config.host)}
    yield from ({"service": plain(service)} for service in config.services)
    yield from ({"probe": plain(probe)} for probe in config.probes)


def _failed(compiled: Compiled) -> Iterator[dict[str, Any]]:
    yield from ({"problem": render(problem)} for problem in compiled.problems)
    yield from ({"warning": render(warning)} for warning in compiled.warnings)
    state_dir = compiled.settings.state_dir
    yield {"failed": {"problems": len(compiled.problems), "state_dir": state_dir}}


def _remember(compiled: Compiled, folder: str) -> Iterator[dict[str, Any]]:
    path = os.path.join(folder, LAST_GOOD)
    try:
        bundle.remember(compiled.texts, path)
    except OSError as error:
        yield {"warning": f"{path}: the configuration cannot be remembered: {error.strerror}"}


def main() -> None:
    """Answers the first request."""
    gc.disable()  # it ends before there is anything to collect
    end_with_parent()
    lines = Lines()
    for request in lines:
        for line in answer(request):
            lines.write(line)
        return


if __name__ == "__main__":
    main()
