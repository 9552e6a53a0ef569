"""Where the demo plays: a temporary folder, the agent over it, and nothing left afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from string import Template

import psutil
from follow import Failed, Follow

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
JOBS = 16
END_S = 5.0
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_OF_A_SERVICE = ("JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Stage:
    """`close` may be called at any time, and is to be called at the end."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._agent: subprocess.Popen[bytes] | None = None
        self._log: Follow | None = None

    def prepare(self) -> None:
        """Makes the folder with the rules, the worker and its jobs."""
        _adopt_orphans()
        os.umask(0o022)
        self._folder = folder = Path(tempfile.mkdtemp(prefix="inspect-demo-"))
        leaky = folder / "leaky.py"
        shutil.copy(HERE / "leaky.py", leaky)
        (folder / "jobs").mkdir()
        for number in range(JOBS):
            (folder / f"jobs/{number:02}").touch()
        words = {
            "folder": _quoted(str(folder)),
            "leaky": _quoted(shlex.join([sys.executable, str(leaky)])),
        }
        (folder / "rules/services.d").mkdir(parents=True)
        for name in ("inspect.conf", "host.inq", "services.d/leaky.inq"):
            text = Template((HERE / "rules" / name).read_text()).substitute(words)
            (folder / "rules" / name).write_text(text)
        (folder / "rules/inspect.conf").chmod(0o600)

    def rules(self) -> str:
        """The worker's rules, with its paths shortened."""
        text = (HERE / "rules/services.d/leaky.inq").read_text()
        return text.replace("$folder", "…").replace("$leaky", "python …/leaky.py")

    def start(self, until: float) -> Follow:
        """Starts the agent; its log, to be followed until `until`. Raises Failed."""
        argv = [_program("inspect-agent"), "-c", self._path("rules"), "-s", self._path("socket")]
        self._agent = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={name: text for name, text in os.environ.items() if name not in _OF_A_SERVICE},
            start_new_session=True,  # Ctrl-C is for the demo, which then ends the agent
        )
        assert self._agent.stdout is not None
        self._log = Follow(self._agent.stdout.fileno(), until, self._agent)
        return self._log

    def inspectctl(self, *words: str) -> str:
        """What inspectctl prints. Raises Failed."""
        argv = [_program("inspectctl"), "-s", self._path("socket"), *words]
        ran = subprocess.run(argv, capture_output=True, text=True, timeout=END_S)
        if ran.returncode != 0:
            raise Failed(f"inspectctl {' '.join(words)}: exit {ran.returncode}: {ran.stderr}")
        return ran.stdout

    def pid(self) -> int:
        """The worker's PID, as its PID file has it."""
        return int(Path(self._path("leaky.pid")).read_text())

    def last_lines(self) -> str:
        """What the agent logged last."""
        return self._log.last() if self._log is not None else "    (it was not started)"

    def stop(self) -> None:
        """Ends the agent as a service manager would. Raises Failed."""
        assert self._agent is not None
        self._agent.terminate()
        try:
            status = self._agent.wait(END_S)
        except subprocess.TimeoutExpired:
            raise Failed(f"the agent did not end within {END_S:g} s of SIGTERM") from None
        if status != 0:
            raise Failed(f"the agent ended with exit status {status}")

    def close(self) -> None:
        """Ends whatever was started here, and takes the folder away."""
        if self._agent is not None and self._agent.poll() is None:
            with contextlib.suppress(Failed):
                self.stop()
        _end_all()
        if self._folder is not None:
            shutil.rmtree(self._folder)

    def _path(self, name: str) -> str:
        assert self._folder is not None
        return str(self._folder / name)


def _program(name: str) -> str:
    path = BIN / name
    if not path.exists():
        raise Failed(f"{path} is missing; `make demo` installs it and starts the demo")
    return str(path)


def _quoted(text: str) -> str:
    """Text as it stands between quotes in a rule."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _adopt_orphans() -> None:
    """Makes this process the parent of every daemon that is started below it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _end_all() -> None:
    """Ends every process below this one; each turn collects one of those it killed."""
    this = psutil.Process()
    while below := this.children(recursive=True):
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        os.waitpid(-1, 0)
