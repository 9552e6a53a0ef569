from __future__ import annotations

import pytest

from inspect_agent.errors import ManagerError
from inspect_agent.managers.systemd import Systemd, unit_name
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.ports import Question
from tests.managers.builders import asked, check, glanced, looked

RUNNING = """Restart=on-failure
MainPID=87
Result=success
ExecMainCode=0
ExecMainStatus=0
ControlGroup=/system.slice/redis-server.service
Id=redis-server.service
Names=redis-server.service redis.service
LoadState=loaded
ActiveState=active
SubState=running
Job=
LoadError=
"""
UP = Observation("up", 87, "active (running)", "/system.slice/redis-server.service", True)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("redis", "redis.service"),
        ("redis.service", "redis.service"),
        ("sidekiq@1", "sidekiq@1.service"),
        ("user@1000:a.b\\x2dc@d", "user@1000:a.b\\x2dc@d.service"),
        ("getty.target", "getty.target"),
        ("php8.2-fpm", "php8.2-fpm.service"),
        ("-.mount", "-.mount"),
        ("-x", "-x.service"),
        ("a..b", "a..b.service"),
        ("x" * 247, f"{'x' * 247}.service"),
        ("x" * 248, None),
        ("sidekiq@", None),
        ("sidekiq@.service", None),
        ("@1", None),
        ("sidekiq@*", None),
        ("a?", None),
        ("[a]", None),
        ("", None),
        ("a b", None),
        ("a\n", None),
        ('a"b', None),
        ("$(reboot)", None),
        ("a;b", None),
        ("../a", None),
        ("/etc/passwd", None),
        ("bücher", None),
    ],
)
def test_names_of_units(name: str, unit: str | None) -> None:
    """A name is a unit's, or nothing that systemctl could make something else of."""
    assert unit_name(name) == unit


def test_one_question_for_all() -> None:
    """All services are asked for by one command, their names behind `--`."""
    argv = asked(Systemd(), ["redis", "-x", "sidekiq@1", "no such"])

    assert argv[:2] == ("systemctl", "show")
    assert argv[-4:] == ("--", "redis.service", "-x.service", "sidekiq@1.service")


def test_an_alias_is_answered() -> None:
    """A service is found by any of its names, and told by the check's own."""
    seen = looked(Systemd(), ["redis", "redis.service", "redis-server"], RUNNING)

    assert seen == {"redis": UP, "redis.service": UP, "redis-server": UP}


def test_refused_names_are_answered_without_a_question() -> None:
    """Where no name can be a unit's nothing is asked; the answer says why."""
    assert Systemd().look([check("a b"), check("sidekiq@")]) == {
        "a b": Observation("absent", reason="'a b' cannot be the name of a unit"),
        "sidekiq@": Observation("absent", reason="sidekiq@ is a template: name an instance of it"),
    }


def test_what_systemd_left_out_is_unknown() -> None:
    """A unit that is missing in the answer, or unreadable in it, spoils no other one's."""
    odd = RUNNING.replace("redis-server", "odd").replace("redis.service", "").replace("=87", "=x")
    seen = looked(Systemd(), ["redis", "nginx", "odd"], f"{RUNNING}\n{odd}")

    assert seen == {
        "redis": UP,
        "nginx": Observation("unknown", reason="systemd said nothing about nginx.service"),
        "odd": Observation("unknown", reason="systemctl printed MainPID=x"),
    }


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        (Finished(1, "", "a\nFailed to connect to bus\n"), "systemctl: Failed to connect to bus"),
        (Finished(4, RUNNING, ""), "systemctl: exit status 4"),
        (Finished(None, "", "killed after 20 s"), "systemctl: killed after 20 s"),
        (Finished(0, "rubbish\n", ""), "systemctl printed no property: 'rubbish'"),
    ],
)
def test_no_answer_is_an_error(finished: Finished, words: str) -> None:
    """A systemctl that fails, hangs or prints garbage is a ManagerError in its words."""
    question = Systemd().look([check("redis")])
    assert isinstance(question, Question)
    with pytest.raises(ManagerError) as error:
        question.parse(finished)
    assert str(error.value) == words


def test_a_glance_is_one_list() -> None:
    """A glance asks for the list of all units and picks the states of those that are watched."""
    printed = (
        "redis-server.service loaded active running Advanced key-value store\n"
        "nginx.service        loaded failed failed  nginx\n"
        "other.service        loaded active running other\n"
    )
    manager = Systemd()
    before = glanced(manager, ["redis", "nginx", "gone", "a b"], printed)
    looked(manager, ["redis"], RUNNING)

    assert before == {
        "redis": "not in memory",
        "nginx": "loaded failed failed",
        "gone": "not in memory",
        "a b": "not in memory",
    }
    assert glanced(manager, ["redis"], printed) == {"redis": "loaded active running"}


def test_what_is_loaded() -> None:
    """Services without their suffix, what is down or failed too; of instances, services alone."""
    printed = (
        "nginx.service loaded active running nginx\n"
        "nginx.socket loaded active listening nginx\n"
        "gone.service not-found inactive dead gone.service\n"
        "worker@1.service loaded failed failed worker 1\n"
        "worker@eu.west.service loaded inactive dead worker eu.west\n"
        "worker@1.timer loaded active waiting worker 1\n"
    )
    question = Systemd().loaded()

    assert isinstance(question, Question)
    assert question.parse(Finished(0, printed, "")) == [
        *("nginx", "nginx.socket", "worker@1", "worker@eu.west")
    ]
    with pytest.raises(ManagerError, match="systemctl: no bus"):
        question.parse(Finished(1, "", "no bus\n"))


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "reload"])
def test_commands(verb: Verb) -> None:
    """Every verb is systemctl's, never asks for a password, and has the check's deadline."""
    argv = ("systemctl", "--no-ask-password", verb, "--", "redis.service")

    assert Systemd().command(verb, check("redis", timeout_s=7.0)) == Command(argv, 7.0)
    assert Systemd().command(verb, check("no such")) is None
