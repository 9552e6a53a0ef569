"""Jobs as init(5) has them, as far as the double of Upstart knows it.

That is exec and script, also of the four stages around them, respawn with its limit, instance,
task, `expect fork`, `kill timeout` and `reload signal`; every other stanza is passed over.
"""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path
from typing import NamedTuple

STAGES = ("pre-start", "post-start", "pre-stop", "post-stop")
MAIN = "main"
_SHELL = re.compile(r"[~`!$^&*()=|\\{}\[\];\"'<>?]")


class Job(NamedTuple):
    """A job; `programs` are the commands of its stages and of its main process."""

    name: str
    programs: dict[str, list[str]]
    respawns: bool = False
    limit: tuple[int, float] = (10, 5.0)
    instance: str = ""
    is_task: bool = False
    forks: bool = False
    kill_timeout_s: float = 5.0
    reload_signal: signal.Signals = signal.SIGHUP


def read_jobs(folder: Path) -> dict[str, Job]:
    """All jobs below a folder, by their names."""
    names = (file.relative_to(folder).with_suffix("") for file in folder.rglob("*.conf"))
    return {str(name): parse(str(name), (folder / f"{name}.conf").read_text()) for name in names}


def parse(name: str, text: str) -> Job:
    """One job."""
    job, lines = Job(name, {}), iter(text.replace("\\\n", " ").split("\n"))
    for line in lines:
        words = shlex.split(line, comments=True)
        stage = words.pop(0) if words and words[0] in STAGES else MAIN
        if words == ["script"]:
            script = "\n".join(iter(lambda: next(lines).strip(), "end script"))
            job.programs[stage] = ["/bin/sh", "-e", "-c", script]
        elif words and words[0] == "exec":
            job.programs[stage] = _command(line.partition("exec ")[2].strip())
        else:
            job = _stanza(job, words)
    return job


def _command(text: str) -> list[str]:
    return ["/bin/sh", "-e", "-c", f"exec {text}"] if _SHELL.search(text) else text.split()


def _stanza(job: Job, words: list[str]) -> Job:
    match words:
        case ["respawn"]:
            return job._replace(respawns=True)
        case ["respawn", "limit", count, interval]:
            return job._replace(limit=(int(count), float(interval)))
        case ["instance", template]:
            return job._replace(instance=template)
        case ["task"]:
            return job._replace(is_task=True)
        case ["expect", "fork"]:
            return job._replace(forks=True)
        case ["kill", "timeout", seconds]:
            return job._replace(kill_timeout_s=float(seconds))
        case ["reload", "signal", name]:
            return job._replace(reload_signal=signal.Signals[f"SIG{name}"])
    return job
