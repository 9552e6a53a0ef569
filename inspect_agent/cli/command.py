"""Runs a command and waits for it; the core, which never waits, has core/child.py."""

from __future__ import annotations

import os
import signal
import subprocess

from inspect_agent.core.child import CLEAN_ENVIRONMENT
from inspect_agent.model.observation import Command, Finished


def run(command: Command) -> Finished:
    """How a command ended; at its deadline its process group is killed."""
    try:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
    except (OSError, ValueError) as error:
        return Finished(None, "", f"cannot run {command.argv[0]}: {error}")
    with process:
        try:
            output, words = process.communicate(timeout=command.timeout_s)
            return Finished(process.returncode, output, words)
        except subprocess.TimeoutExpired:
            return Finished(None, "", f"killed after {command.timeout_s:g} s without an end")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
