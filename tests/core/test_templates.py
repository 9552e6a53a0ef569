"""Templates: which checks the instances have, and which services a name means."""

from __future__ import annotations

import pytest

from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.templates import instance, is_template, meant, services
from inspect_agent.core.watched import WatchedService
from inspect_agent.model.rule import (
    Alert,
    Cycles,
    Repair,
    Rule,
    Run,
    Signal,
    StateTest,
    Unmonitor,
)
from inspect_agent.model.target import Budget, ServiceCheck


def check(name: str, *rules: Rule) -> ServiceCheck:
    """A check of a service."""
    return ServiceCheck(name, f"{name}.inq:1", Budget(3, 600.0), "ops", rules=rules)


def down(*then: Repair | Signal | Run | Unmonitor | Alert) -> Rule:
    """`if down then …`."""
    return Rule("down", "down", "x.inq:2", StateTest("down"), Cycles(1), then, (Alert("boss"),))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("worker@*", True),
        *((name, False) for name in ("worker@1", "worker", "*", "", "@*")),
        *((name, False) for name in ("a@b@*", "worker@*.timer")),
    ],
)
def test_what_stands_for_instances(name: str, expected: bool) -> None:
    """A name, an at sign and a star."""
    assert is_template(name) is expected


def test_an_instance_has_its_own_name_everywhere() -> None:
    """Other services keep theirs, and so do alerts and commands."""
    template = check(
        "worker@*",
        down(
            Signal("TSTP", "worker@*"),
            Repair("restart", "worker@*"),
            Repair("restart", "redis@*"),
            Repair("start", "worker@9"),
            Run("tidy worker@*"),
            Unmonitor("worker@*"),
            Alert("ops"),
        ),
    )
    steps = (
        Signal("TSTP", "worker@1"),
        Repair("restart", "worker@1"),
        Repair("restart", "redis@*"),
        Repair("start", "worker@9"),
        Run("tidy worker@*"),
        Unmonitor("worker@1"),
        Alert("ops"),
    )
    assert instance(template, "worker@1") == template._replace(
        name="worker@1", rules=(down(*steps),)
    )


def test_instances_stand_where_their_template_does() -> None:
    """By their numbers; a check of their own wins, and what no template brings is left out."""
    checks = [check("z"), check("worker@*"), check("a"), check("worker@2")]
    names = ["worker@10", "worker@9", "worker@2", "worker@b", "worker@*", "z", "b", "other@1"]
    found = services(checks, names)
    assert list(found) == ["z", "worker@9", "worker@10", "worker@b", "a", "worker@2"]
    assert [one.place for one in found.values()] == [
        *("z.inq:1", "worker@*.inq:1", "worker@*.inq:1", "worker@*.inq:1", "a.inq:1"),
        "worker@2.inq:1",
    ]


def test_what_a_name_means() -> None:
    """Itself, or all instances, or nothing that is watched."""
    names = ("worker@1", "nginx", "worker@2", "workers@1")
    watched = {name: WatchedService(check(name), Catalogue([]), 1.0) for name in names}
    asked = {
        name: [service.check.name for service in meant(name, watched)]
        for name in ("worker@*", "worker@2", "nginx", "worker", "other@*", "worker@7")
    }
    assert asked == {
        "worker@*": ["worker@1", "worker@2"],
        "worker@2": ["worker@2"],
        "nginx": ["nginx"],
        "worker": [],
        "other@*": [],
        "worker@7": [],
    }
