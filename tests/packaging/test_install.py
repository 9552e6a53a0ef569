"""packaging/install.sh on a real systemd: what it puts where, and what an upgrade leaves alone."""

from __future__ import annotations

import shutil

import pytest

from inspect_agent import __version__
from tests.integration.systemd_machine import SystemdMachine
from tests.packaging.conftest import CHECKOUT, do, install

pytestmark = pytest.mark.systemd

MODES = """\
755 root /etc/inspect-agent
644 root /etc/inspect-agent/host.inq
600 root /etc/inspect-agent/inspect.conf
755 root /etc/inspect-agent/services.d
644 root /etc/inspect-agent/services.d/README
755 root /run/inspect-agent
600 root /run/inspect-agent/inspect.sock
700 root /var/lib/inspect-agent
600 root /var/lib/inspect-agent/last-good.json
600 root /var/lib/inspect-agent/state.db
"""
WITHOUT_SYSTEMD = 'mount -t tmpfs tmpfs /run/systemd && PATH="/tmp/upstart:$PATH" && exec "$0"'
INITCTL = """#!/bin/sh
# as Upstart 1.13.2 does with a job that does not run
echo "$*" >>/tmp/initctl.log
case $1 in
    version) echo "init (upstart 1.13.2)" ;;
    restart) echo "initctl: Unknown instance: " >&2; exit 1 ;;
    start) echo "inspect-agent start/running, process 4711" ;;
esac
"""
UNCOMPILED = """
import pathlib, inspect_agent
root = pathlib.Path(inspect_agent.__file__).parent
sources = {path.relative_to(root).with_suffix("") for path in root.rglob("*.py")}
compiled = {
    path.relative_to(root).parent.parent / path.name.split(".")[0] for path in root.rglob("*.pyc")
}
print(len(sources) > 50, sorted(map(str, sources - compiled)))
"""


def test_folders_and_modes(installed: SystemdMachine) -> None:
    """The configuration is readable, its secrets and the state are root's alone."""
    paths = [line.split()[2] for line in MODES.splitlines()]
    assert do(installed, "stat", "--format=%a %U %n", *paths) == MODES


def test_compiled(installed: SystemdMachine) -> None:
    """Every module is compiled where it was installed, so no start has to do it."""
    # -B: what is asked here must not compile anything itself
    assert do(installed, "/opt/inspect-agent/bin/python", "-B", "-c", UNCOMPILED) == "True []\n"


def test_commands(installed: SystemdMachine) -> None:
    """Both commands are in the path."""
    assert do(installed, "inspect-agent", "-v") == f"inspect-agent {__version__}\n"
    assert do(installed, "inspectctl", "version") == f"{__version__}\n"


def test_user(installed: SystemdMachine) -> None:
    """The user that alerts are sent as has no home and no shell, and may run the program."""
    name, _, _, _, _, home, shell = do(installed, "getent", "passwd", "inspect").strip().split(":")
    assert (name, home, shell) == ("inspect", "/nonexistent", "/usr/sbin/nologin")
    as_inspect = ("runuser", "-u", "inspect", "--", "/opt/inspect-agent/bin/python", "-I", "-c")
    assert do(installed, *as_inspect, "import inspect_agent.workers.notify") == ""


def test_starts_at_boot(installed: SystemdMachine) -> None:
    """The unit is enabled, and systemd has nothing to say against it."""
    assert do(installed, "systemctl", "is-enabled", "inspect-agent") == "enabled\n"
    unit = "/etc/systemd/system/inspect-agent.service"
    assert do(installed, "systemd-analyze", "verify", unit) == ""


def test_upgrade(installed: SystemdMachine) -> None:
    """An upgrade restarts the agent alone, and leaves what was configured as it is."""
    root = installed.root
    (root / "etc/inspect-agent/host.inq").write_text("check host\n  if load:1 > 900 then alert\n")
    (root / "etc/inspect-agent/services.d/slow.inq").write_text("check service slow\n")
    installed.write_unit("slow.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    installed.systemctl("start", "slow")
    before = _pids(installed)
    (root / "opt/inspect-agent/bin/inspectctl").unlink()

    said = install(installed)

    after = _pids(installed)
    assert said == (
        f"install.sh: installed inspect-agent {__version__}\n"
        "install.sh: the agent runs; `inspectctl status` shows what it sees\n"
    )
    assert (root / "etc/inspect-agent/host.inq").read_text().endswith("load:1 > 900 then alert\n")
    assert f"Service: slow [Up/{after['slow']}]" in do(installed, "inspectctl", "status")
    assert after["slow"] == before["slow"]
    assert after["inspect-agent"] != before["inspect-agent"]


def test_upstart(installed: SystemdMachine) -> None:
    """Where Upstart runs, its job is put in place and started."""
    initctl = installed.root / "tmp/upstart/initctl"
    initctl.parent.mkdir()
    initctl.write_text(INITCTL)
    initctl.chmod(0o755)
    (installed.root / "etc/init").mkdir()

    said = _install_without_systemd(installed)

    assert said.endswith("install.sh: the agent runs; `inspectctl status` shows what it sees\n")
    job = (installed.root / "etc/init/inspect-agent.conf").read_text()
    assert job.splitlines()[-1] == "exec /usr/local/bin/inspect-agent"
    assert (installed.root / "tmp/initctl.log").read_text().splitlines() == [
        "version",
        "reload-configuration",
        "restart inspect-agent",
        "start inspect-agent",
    ]
    shutil.rmtree(initctl.parent)


def test_no_manager(installed: SystemdMachine) -> None:
    """Where neither systemd nor Upstart runs it says what is left to do."""
    assert _install_without_systemd(installed) == (
        f"install.sh: installed inspect-agent {__version__}\n"
        "install.sh: neither systemd nor Upstart runs here:"
        " have your supervisor run /usr/local/bin/inspect-agent\n"
    )


def _install_without_systemd(machine: SystemdMachine) -> str:
    script = str(CHECKOUT / "packaging/install.sh")
    return do(machine, "unshare", "--mount", "sh", "-c", WITHOUT_SYSTEMD, script)


def _pids(machine: SystemdMachine) -> dict[str, int]:
    return {
        unit: int(machine.systemctl("show", "--property=MainPID", "--value", unit))
        for unit in ("slow", "inspect-agent")
    }
