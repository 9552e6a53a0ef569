"""Every inspeqtor.conf that Inspeqtor 2.0 accepts means the same here: corpus/conf holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from inspect_agent.model.config import Settings
from tests.inspeqtor.moving import CORPUS, first_lines, moved, sound, stems

DUTY = {"username": "a", "password": "b", "to_email": "c@example.org"}
ONE = [("default/gmail", DUTY)]


class Conf(NamedTuple):
    """What a file means.

    sends     the destinations, each with its parameters
    settings  those that are not at their defaults
    warnings  place and message of each that is about a setting or a send
    """

    sends: Sequence[tuple[str, Mapping[str, str]]]
    settings: Settings = Settings()
    warnings: Sequence[str] = ()


CONFS: Mapping[str, Conf] = {
    "smallest": Conf(
        [("default/email", {"smtp_server": "localhost", "to_email": "root@localhost"})]
    ),
    "settings_last": Conf(
        ONE, Settings(cycle_time_s=5.0, deploy_length_s=60.0, log_level="verbose")
    ),
    "settings_in_quotes": Conf(ONE, Settings(cycle_time_s=10.0, log_level="debug")),
    "settings_not_taken": Conf(
        ONE,
        Settings(cycle_time_s=20.0),
        [
            "inspeqtor.conf:2:5: warning: cycle_time is set twice",
            "inspeqtor.conf:3:19: warning: soon is not a duration",
            "inspeqtor.conf:4:15: warning: chatty is not possible here",
            "inspeqtor.conf:5:5: warning: not in this version: the setting statsd_location",
            "inspeqtor.conf:6:5: warning: not in this version: the setting expose_port",
            "inspeqtor.conf:7:5: warning: unknown setting colour",
        ],
    ),
    "layout": Conf(
        [
            ("default/gmail", DUTY),
            ("ops/gmail", {**DUTY, "to_email": "d@example.org"}),
            ("dba/gmail", {**DUTY, "to_email": "e@example.org"}),
        ]
    ),
    "odd_characters": Conf(
        [
            (
                "default/email",
                {
                    "username": "!a$b%c",
                    "password": "&d'e*f+g-h/i;j:k=l?m^n_o`p{q|r}s~t.u@v<w>x",
                    "smtp_server": "mail.example.org",
                    "to_email": "a+b@example.org",
                },
            )
        ]
    ),
    "quoted": Conf(
        [
            (
                "ops/email",
                {
                    "smtp_server": "mail.example.org",
                    "username": "a user",
                    "password": 'say "friend", # (and \\ enter)',
                    "to_email": "ops@example.org",
                },
            ),
            ("default/log", {}),
        ]
    ),
    "escapes": Conf(
        [
            (
                "default/email",
                {
                    "smtp_server": "localhost",
                    "username": "ops",
                    "password": r"a\tb\x41\u0042",
                    "to_email": "ops@example.org",
                },
            )
        ],
        warnings=[r"inspeqtor.conf:2:26: warning: \t is no escape here"],
    ),
    "letters": Conf(
        [
            (
                "default/email",
                {
                    "smtp_server": "localhost",
                    "username": "διαχειριστής",
                    "password": "пароль",
                    "to_email": "ops@example.org",
                },
            )
        ]
    ),
    "gone": Conf(
        [("default/log", {}), ("ops/log", {}), ("dba/log", {})],
        warnings=[
            "inspeqtor.conf:1:17: warning: the service hipchat no longer exists",
            "inspeqtor.conf:2:24: warning: the service campfire no longer exists",
            "inspeqtor.conf:3:24: warning: the service flowdock no longer exists",
        ],
    ),
}
"""What corpus/conf/NAME.conf means."""


@pytest.mark.parametrize("name", CONFS)
def test_confs(tmp_path: Path, name: str) -> None:
    """inspeqtor.conf sets this, and sends alerts so; what Inspeqtor passes over is a warning."""
    compiled = moved(tmp_path, {"inspeqtor.conf": CORPUS / f"conf/{name}.conf"})
    config = sound(compiled)
    sends = [(to.key, dict(to.params)) for to in config.destinations]
    expected = CONFS[name]
    assert (sends, config.settings) == (expected.sends, expected.settings)
    assert set(expected.warnings) <= set(first_lines(compiled.warnings))


def test_every_file_is_looked_at() -> None:
    """The table above names each file of its folder."""
    assert stems("conf") == set(CONFS)
