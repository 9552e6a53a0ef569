"""What a new configuration changes."""

from __future__ import annotations

from inspect_agent.core.changes import Changes, changes
from inspect_agent.model.config import Config, Settings
from inspect_agent.model.rule import Alert, Cycles, Rule, StateTest
from inspect_agent.model.target import Budget, HostCheck, ProbeCheck, ServiceCheck

RULE = Rule("down", "down", "x.inq:2", StateTest("down"), Cycles(1), (Alert(""),))


def service(name: str, place: str = "x.inq:1", *rules: Rule) -> ServiceCheck:
    """A check of a service."""
    return ServiceCheck(name, place, Budget(3, 600.0), rules=rules)


def config(host: HostCheck, *checks: ServiceCheck | ProbeCheck) -> Config:
    """A configuration of these."""
    services = tuple(check for check in checks if isinstance(check, ServiceCheck))
    probes = tuple(check for check in checks if isinstance(check, ProbeCheck))
    return Config(Settings(), (), host, services, (), probes)


def test_checks_are_told_by_their_names() -> None:
    """A template by its own; a probe is no service of the same name."""
    before = config(HostCheck(), service("a"), service("b@*"), ProbeCheck("c", "x.inq:3"))
    after = config(
        HostCheck(rules=(RULE,)), service("a", "x.inq:1", RULE), service("c"), service("d@*")
    )
    assert changes(before, after) == Changes(("c", "d@*"), ("a",), ("b@*", "probe c"), True)
    assert changes(after, before) == Changes(("b@*", "probe c"), ("a",), ("c", "d@*"), True)


def test_where_a_check_is_written_does_not_matter() -> None:
    """Nor in which order."""
    moved = RULE._replace(place="y.inq:7")
    before = config(
        HostCheck(rules=(RULE,)),
        service("a", "x.inq:1", RULE),
        service("b"),
        ProbeCheck("c", "x.inq:3", rules=(RULE,)),
    )
    after = config(
        HostCheck(rules=(moved,)),
        service("b", "y.inq:1"),
        service("a", "y.inq:3", moved),
        ProbeCheck("c", "y.inq:3", rules=(moved,)),
    )
    assert changes(before, after) == Changes((), (), (), False)


def test_parameters_are_part_of_a_check() -> None:
    """Those of probes and of the machine, too."""
    params = (("url", "https://a.example"),)
    before = config(HostCheck(), ProbeCheck("c", "x.inq:3"))
    after = config(HostCheck(params=params), ProbeCheck("c", "x.inq:3", params=params))
    assert changes(before, after) == Changes((), ("probe c",), (), True)
