"""The status table, as people and scripts read it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inspect_agent import clock
from inspect_agent.export import table

SAMPLE = """\
Inspect Agent 0.1.0, uptime: 47m47s, pid: 3685

Host: ip-10-0-0-7
  cpu                                 0.8%
  disk:/                              50.0%           90%
! swap                                48.0%           20%

Service: sidekiq [Up/22745] systemd
  cpu:user                            0.0%            60%
  memory:rss                          131.42m         500m
"""


def row(metric: str, text: str, *thresholds: str, triggered: bool = False) -> dict[str, Any]:
    """One metric."""
    return {
        "metric": metric,
        "text": text,
        "thresholds": list(thresholds),
        "triggered": triggered,
    }


def word(text: str, phase: str) -> dict[str, Any]:
    """A rule without a metric."""
    return {"rule": text, "phase": phase, "has_metrics": False}


def code(word: str, holds: bool | None, why: str) -> dict[str, Any]:
    """What was found of the code that a service runs."""
    return {"freshness": [{"word": word, "holds": holds, "why": why}]}


def service(**changes: Any) -> dict[str, Any]:
    """A service that is up, with some members changed."""
    return {
        "name": "sidekiq",
        "state": "up",
        "pid": 22745,
        "reason": "active (running)",
        "answers": True,
        "manager": "systemd",
        "crash_loop": False,
        "wrapper": "",
        "repair": "",
        "refused": "",
        "paused_s": 0.0,
        "metrics": [
            row("cpu:user", "0.0%", "60%"),
            row("memory:rss", "131.42m", "500m"),
        ],
        "rules": [],
        **changes,
    }


def status(*services: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The sample's status, with some members changed."""
    return {
        "version": "0.1.0",
        "pid": 3685,
        "uptime_s": 2867.4,
        "host": {
            "name": "ip-10-0-0-7",
            "repair": "",
            "refused": "",
            "paused_s": 0.0,
            "metrics": [
                row("cpu", "0.8%"),
                row("disk:/", "50.0%", "90%"),
                row("swap", "48.0%", "20%", triggered=True),
            ],
            "rules": [],
        },
        "services": list(services) or [service()],
        "probes": [],
        "templates": [],
        "silences": [],
        "unmonitored": [],
        "no_repairs_until": None,
        "alerts": [],
        "not_durable": "",
        "problems": [],
        "not_loaded": [],
        **changes,
    }


def shown(**changes: Any) -> list[str]:
    """The lines of one service."""
    lines = table.render(status(service(**changes)), table.plain).splitlines()
    return lines[7:]


def notes(**changes: Any) -> list[str]:
    """The lines between the first and the host."""
    lines = table.render(status(**changes), table.plain).splitlines()
    return lines[1 : lines.index("")]


def test_the_layout_is_inspeqtors() -> None:
    """To the character: there are scripts that read it."""
    assert table.render(status(), table.plain) == SAMPLE


def test_colours_change_no_character() -> None:
    """They only stand around the words."""
    coloured = table.render(status(), table.colour)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == SAMPLE
    assert "\x1b[32m[Up/22745]\x1b[0m" in coloured
    assert "\x1b[31;1m! swap                                48.0%           20%\x1b[0m" in coloured


def test_a_machine_without_services() -> None:
    """The host stands alone."""
    assert table.render(status() | {"services": []}, table.plain) == SAMPLE.split("\nService")[0]


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({"state": "down", "pid": None}, "[Down]"),
        ({"state": "failed", "pid": None}, "[Failed]"),
        ({"state": "starting", "pid": None}, "[Starting]"),
        ({"state": "absent", "pid": None}, "[Absent]"),
        ({"state": "unknown", "pid": None}, "[Unknown]"),
        ({"answers": False}, "[Unknown]"),
    ],
)
def test_a_service_that_is_not_up_says_why(changes: dict[str, Any], head: str) -> None:
    """In its manager's words, in the line below."""
    lines = shown(reason="failed, Result=oom-kill", **changes)
    assert lines[:2] == [f"Service: sidekiq {head} systemd", "  failed, Result=oom-kill"]


def test_a_service_that_is_up_without_a_process() -> None:
    """It has no PID to show."""
    assert shown(pid=None)[0] == "Service: sidekiq [Up] systemd"


def test_a_service_that_nobody_manages() -> None:
    """What each manager said stands below."""
    absent = {"state": "absent", "pid": None, "manager": None}
    said = "systemd: Unit sidekiq.service not found.; runit: there is no /etc/service/sidekiq"
    assert shown(reason=said, **absent)[:2] == ["Service: sidekiq [Absent]", f"  {said}"]


def test_a_manager_without_words() -> None:
    """Silence is said, too."""
    assert shown(state="down", reason="")[1] == "  no reason given"


def test_a_metric_without_data_says_why() -> None:
    """However long the reason is, the threshold stands behind it."""
    rows = [
        row("memory:rss", "no data (not running)", "500m"),
        row("cpu:user", "no data (x)", "60%"),
    ]
    assert shown(metrics=rows)[1:] == [
        "  memory:rss                          no data (not running) 500m",
        "  cpu:user                            no data (x)     60%",
    ]


def test_two_rules_of_one_metric_show_both_thresholds() -> None:
    """In the order they are written; so do names that are too long for their column."""
    name = "disk:/srv/backups/of/everything/we/have"
    rows = [row("memory:rss", "131.42m", "500m", "1g"), row(name, "50.0%", "90%")]
    assert shown(metrics=rows)[1:] == [
        "  memory:rss                          131.42m         500m, 1g",
        f"  {name} 50.0%           90%",
    ]


def test_rules_without_a_metric_are_rows() -> None:
    """With what they say now."""
    rules = [
        word("failed for 2 cycles", "ok"),
        word("down", "pending"),
        word("restarted", "triggered"),
        {"rule": "memory:rss > 500m", "phase": "triggered", "has_metrics": True},
    ]
    assert shown(metrics=[], rules=rules)[1:] == [
        "  failed for 2 cycles                 no",
        "  down                                no",
        "! restarted                           yes",
    ]


def test_a_silent_manager_makes_no_no() -> None:
    """Nobody knows whether a service is down while its manager does not answer."""
    lines = shown(metrics=[], rules=[word("down", "ok")], answers=False, reason="systemd: bus")
    assert lines[1:] == ["  systemd: bus", "  down                                unknown"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"crash_loop": True}, "  crash loop: it keeps dying"),
        ({"repair": "restart, verifying"}, "  under repair: restart, verifying"),
        ({"paused_s": 290.0}, "  repairs paused for 4m50s: the budget is spent"),
        ({"refused": "start x refused, NEED_DOWN: …"}, "  start x refused, NEED_DOWN: …"),
        ({"wrapper": "process 7 only wraps ruby"}, "  process 7 only wraps ruby"),
        (code("stale", True, "works in /srv/1"), "  stale: works in /srv/1"),
        (code("outdated", None, "no /proc"), "  nobody knows whether it is outdated: no /proc"),
    ],
)
def test_what_an_operator_should_know_of_a_service(changes: dict[str, Any], line: str) -> None:
    """Stands between its name and its metrics."""
    assert shown(metrics=[], **changes)[1:] == [line]


def test_code_that_is_not_old_is_nothing_to_know() -> None:
    """The row of the rule says so."""
    rules = [word("stale for 2 cycles", "ok")]
    lines = shown(metrics=[], rules=rules, **code("stale", False, ""))
    assert lines[1:] == ["  stale for 2 cycles                  no"]


def test_a_rule_about_what_nobody_knows() -> None:
    """Its condition is not false; while it is triggered it stays true."""
    rules = [
        {**word("stale", "ok"), "known": False},
        {**word("stale", "triggered"), "known": False},
    ]
    assert shown(metrics=[], rules=rules)[1:] == [
        "  stale                               unknown",
        "! stale                               yes",
    ]


def test_what_an_operator_should_know_of_the_machine() -> None:
    """What its rules do, or may not do, stands below its name, too."""
    sample = status()
    sample["host"].update(repair="run (host.inq:3), running", refused="run (host.inq:7) refused: …")
    lines = table.render(sample, table.plain).splitlines()
    assert lines[2:6] == [
        "Host: ip-10-0-0-7",
        "  under repair: run (host.inq:3), running",
        "  run (host.inq:7) refused: …",
        "  cpu                                 0.8%",
    ]


def test_a_pause_is_reason_enough() -> None:
    """The refusal that goes with it is not repeated."""
    lines = shown(metrics=[], paused_s=290.0, refused="restart x refused, BUDGET_SPENT: …")
    assert lines[1:] == ["  repairs paused for 4m50s: the budget is spent"]


def test_probes_stand_behind_the_services() -> None:
    """Their metrics and rules as those of the machine, with what is done about them."""
    probe = {
        "name": "shop",
        "repair": "run (shop.inq:2), running",
        "refused": "",
        "paused_s": 0.0,
        "metrics": [row("http:seconds", "2.31s", "2s", triggered=True)],
        "rules": [word("http fails", "ok")],
    }
    assert table.render(status(probes=[probe, probe | {"repair": ""}]), table.plain) == (
        f"{SAMPLE}\n"
        "Probe: shop\n"
        "  under repair: run (shop.inq:2), running\n"
        "! http:seconds                        2.31s           2s\n"
        "  http fails                          no\n\n"
        "Probe: shop\n"
        "! http:seconds                        2.31s           2s\n"
        "  http fails                          no\n"
    )


def test_templates_that_need_a_word() -> None:
    """Where there is no instance, or nobody knows whether these are all."""
    fine = {"name": "fine@*", "instances": ["fine@1"], "trouble": ""}
    empty = {"name": "empty@*", "instances": [], "trouble": ""}
    trouble = {"trouble": "systemd: no bus"}
    assert notes(templates=[fine, empty, empty | trouble, fine | trouble]) == [
        "empty@*: no instance is loaded",
        "empty@*: no instance is loaded (systemd: no bus)",
        "fine@*: its instances may be others by now (systemd: no bus)",
    ]


@pytest.mark.parametrize("paint", [table.plain, table.colour])
def test_no_name_can_forge_a_line_or_move_the_cursor(paint: table.Paint) -> None:
    """A process may call itself anything, and a mount point, too."""
    evil = "\x1b[2J\x07a\nService: forged [Up/1]\u202e"
    changes = dict.fromkeys(("reason", "wrapper", "refused", "repair", "name"), evil)
    rows = [row(evil, evil, evil), row(evil, evil, evil, triggered=True)]
    rules = [word(evil, "triggered"), word(evil, "ok")]
    probe = {**changes, "paused_s": 0.0, "metrics": rows, "rules": rules}
    template = {"name": evil, "instances": [], "trouble": evil}
    text = table.render(
        status(
            service(
                state="down", metrics=rows, rules=rules, **changes, **code("stale", True, evil)
            ),
            probes=[probe],
            templates=[template],
            problems=[evil],
        ),
        paint,
    )
    assert len(text.splitlines()) == len(SAMPLE.splitlines()) + 17
    assert not re.search(r"\x1b(?!\[[0-9;]*m)|[\x07\u202e]", text)


def test_silences_say_until_when() -> None:
    """In the machine's own time; those of services say whose they are."""
    until = 1795254531.0
    at = clock.local_text(until)
    silences = [{"name": "", "until": until}, {"name": "nginx", "until": until}]
    assert notes(silences=silences, unmonitored=["redis"]) == [
        f"Silenced until: {at}",
        f"Silenced until: {at} (nginx)",
        "Not monitored: redis",
    ]


def test_alerts_that_wait_or_were_lost() -> None:
    """How many, why, and when they are tried again."""
    until = 1795254531.0
    lane = {"destination": "ops/email", "waiting": 3, "lost": 0, "last_error": "", "next_try": None}
    late = lane | {"last_error": "mx: 421 busy", "next_try": until}
    lost = lane | {"waiting": 0, "lost": 2, "last_error": "550 no such user"}
    assert notes(alerts=[lane, late, lost]) == [
        "Alerts for ops/email: 3 waiting",
        f"Alerts for ops/email: 3 waiting (mx: 421 busy), next try {clock.local_text(until)}",
        "Alerts for ops/email: 0 waiting, 2 lost (550 no such user)",
    ]


def test_what_is_wrong_with_the_agent_itself() -> None:
    """A ledger that takes nothing, and whatever else it has to say."""
    problems = ["The configuration on disk has problems and is not in force"]
    assert notes(not_durable="database or disk is full", problems=problems) == [
        "Not durable: database or disk is full",
        "The configuration on disk has problems and is not in force",
    ]


def test_what_is_not_loaded_yet() -> None:
    """The first few files, what became of each, and how many more there are."""
    files = [{"file": f"services.d/{number}.inq", "how": "new"} for number in range(5)]
    tail = "; inspectctl reload does it, or says why not"
    assert notes(not_loaded=[{"file": "inspect.conf", "how": "changed"}]) == [
        f"Not loaded yet: inspect.conf (changed){tail}"
    ]
    named = ", ".join(f"services.d/{number}.inq (new)" for number in range(5))
    assert notes(not_loaded=files) == [f"Not loaded yet: {named}{tail}"]
    gone = [{"file": "host.inq", "how": "gone"}] * 2
    assert notes(not_loaded=files + gone) == [f"Not loaded yet: {named}, and 2 more{tail}"]


def test_a_wait_after_state_was_lost() -> None:
    """Until when nothing is repaired, and how that is ended."""
    until = 1795254531.0
    assert notes(no_repairs_until=until) == [
        f"No repairs until: {clock.local_text(until)}"
        " (inspectctl finish deploy, if nothing is being deployed)"
    ]
