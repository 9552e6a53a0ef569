"""What is other than in Inspeqtor 2.0 on purpose, and what of its defects is the language's."""

from __future__ import annotations

from inspect_agent.model.metric import MetricId
from inspect_agent.model.rule import Alert, Amount, Comparison, Repair
from tests.lang.compiling import ROUTES, compiled, config, rules_of, said


def test_a_hash_within_a_word_is_no_comment() -> None:
    """`pa#ss` is a password, and `#` at the start of a word a comment."""
    made = config(
        "check service a#b # c\n",
        conf="send alerts via email with to_email a@example.com, username u, password pa#ss # x\n",
    )
    assert [service.name for service in made.services] == ["a#b"]
    assert dict(made.destinations[0].params)["password"] == "pa#ss"


def test_what_is_unknown_is_an_error() -> None:
    """An unknown metric, parameter, route or unit is told; it does not read 0, or bytes."""
    assert said(
        "check service x with colour blue\n"
        "  if memory:rsss < 5m then alert\n"
        "  if memory:rss > 5x then alert nobody\n"
    ) == [
        "a.inq:1:22: unknown parameter colour",
        "a.inq:2:6: unknown metric memory:rsss",
        "a.inq:3:19: 5x has a unit that nobody knows",
        "a.inq:3:33: unknown route nobody",
    ]


def test_percent_means_percent() -> None:
    """`memory:rss > 20%` is a fifth of the machine's memory, not 20 bytes."""
    (rule,) = rules_of("if memory:rss > 20% then alert")
    amount = Amount(0.2, "20%", share=True)
    assert rule.condition == Comparison(MetricId("memory", "rss"), ">", amount)


def test_a_second_route_of_one_name_delivers_too() -> None:
    """Every `send` counts, for the default route and for others."""
    conf = "send alerts via log\nsend alerts via null\n" + "send alerts to ops via log\n" * 2
    assert [(d.key, d.route, d.channel) for d in config(conf=conf).destinations] == [
        ("default/log", "", "log"),
        ("default/null", "", "null"),
        ("ops/log", "ops", "log"),
        ("ops/log/2", "ops", "log"),
    ]


def test_a_recovery_never_repairs() -> None:
    """`then restart` is no part of what happens at recovery, and `else restart` is refused."""
    (rule,) = rules_of("if memory:rss > 5m then restart, alert else alert ops")
    assert (rule.then, rule.otherwise) == (
        (Repair("restart", "x"), Alert("")),
        (Alert("ops"),),
    )
    assert said("check service x\n  if memory:rss > 5m then alert else restart\n") == [
        "a.inq:2:38: else only alerts, it does not restart"
    ]


def test_decimals() -> None:
    """`1.5g` is a gibibyte and a half; it does not make the whole file vanish."""
    (rule,) = rules_of("if memory:rss > 1.5g then alert")
    assert isinstance(rule.condition, Comparison)
    assert rule.condition.amount == Amount(1.5 * 1024**3, "1.5g")


def test_a_file_with_a_mistake_is_not_dropped_silently() -> None:
    """A configuration with a mistake is none, whatever its other files hold."""
    made = compiled("check service a\n", "check service b wth x\n")
    assert (made.config, len(made.problems)) == (None, 1)


def test_no_alerts_configured() -> None:
    """Without any route alerts go to the log, and the agent starts."""
    (destination,) = config(conf="set cycle_time 5\n").destinations
    assert (destination.key, destination.route, destination.channel) == ("default/log", "", "log")


def test_two_default_routes() -> None:
    """The second is not silently lost."""
    assert len(config(conf=ROUTES + "send alerts via null\n").destinations) == 4


def test_several_recipients_are_destinations_of_their_own() -> None:
    """One may be refused, and the others get their message."""
    conf = 'send alerts to ops via email with to_email "a@example.com, b@example.com", tls none\n'
    assert [d.params for d in config(conf=conf).destinations if d.route == "ops"] == [
        (("to_email", "a@example.com"), ("tls", "none")),
        (("to_email", "b@example.com"), ("tls", "none")),
    ]


def test_several_checks_in_a_file() -> None:
    """A file holds any number of checks, of services and of the host."""
    made = config("check service a\ncheck host\n if swap > 5% then alert\ncheck service b\n")
    assert [service.name for service in made.services] == ["a", "b"]
    assert [rule.key for rule in made.host.rules] == ["swap > 5%"]
