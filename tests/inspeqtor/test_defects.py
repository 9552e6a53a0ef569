"""The defects of Inspeqtor 2.0 that its users paid for: each has a test with its name on it.

The tests are in the modules that are named below; docs/inspeqtor.md lists the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.inspeqtor import (
    test_engine_defects,
    test_language_defects,
    test_machine_defects,
    test_operation_defects,
)

DOCS = (Path(__file__).parents[2] / "docs" / "inspeqtor.md").read_text("utf-8")
MODULES = (
    test_language_defects,
    test_engine_defects,
    test_machine_defects,
    test_operation_defects,
)
DEFECTS: Mapping[str, str] = {
    "`then restart` runs again when the rule recovers": "test_then_restart_runs_again_on_recovery",
    "`1.5g` makes the whole file vanish": "test_a_decimal_makes_the_file_vanish",
    "a reload with a mistake drops the service": "test_a_reload_silently_drops_the_service",
    "a misspelt metric reads 0": "test_a_misspelt_metric_reads_0",
    "the first sample of a counter reads 0": "test_the_first_counter_sample_reads_0",
    "a counter that is reset goes negative": "test_a_counter_reset_goes_negative",
    "`memory:rss > 20%` means 20 bytes": "test_memory_in_percent_means_bytes",
    "no swap is 100 % swap": "test_no_swap_is_100_percent_swap",
    "an overlay or NFS root has no disk metric": "test_an_overlay_or_nfs_root_has_no_disk_metric",
    "a rule that stays true never acts again": "test_a_rule_that_stays_true_never_acts_again",
    "a death in a deploy window never alerts": "test_a_death_in_a_deploy_window_never_alerts",
    "of two default routes the first wins": "test_of_two_default_routes_the_first_wins_silently",
    "a database that is down keeps it from starting": (
        "test_a_database_that_is_down_keeps_the_agent_from_starting"
    ),
    "without alerts configured it does not start": (
        "test_without_alerts_configured_it_does_not_start"
    ),
    "alerts are sent in the main loop": "test_alerts_are_sent_in_the_main_loop",
    "a dead mail server loses alerts": "test_a_dead_mail_server_loses_alerts",
    "a stale socket file is exit 0": "test_a_stale_socket_file_is_exit_0",
    "a restart is killed half-way after 10 s": (
        "test_a_restart_is_killed_half_way_after_10_seconds"
    ),
    "a restart is never verified": "test_a_restart_is_never_verified",
    "restarts have no limit": "test_restarts_have_no_limit",
    "a reload forgets history and counts": "test_a_reload_forgets_history_and_counts",
    "oneshot and not-enabled units are not found": (
        "test_oneshot_and_not_enabled_units_are_not_found"
    ),
    "a process name with a space shifts every field": (
        "test_a_process_name_with_a_space_shifts_every_field"
    ),
    "a password is in the process list": "test_a_password_is_in_the_process_list",
    "`cpu:total_*` counts reaped children only": "test_cpu_totals_count_reaped_children_only",
    "an unreaped zombie is up": "test_an_unreaped_zombie_is_up",
}
"""What Inspeqtor gets wrong, and the test that it is right here."""


def rows(heading: str, cells: int) -> list[tuple[str, ...]]:
    """The rows of the table below a heading of the page, without its head."""
    part = DOCS.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    row = re.compile(r"^\| " + r" \| ".join(["(.+?)"] * cells) + r" \|$", re.MULTILINE)
    return [found.groups() for found in row.finditer(part)][1:]


def test_each_defect_has_one_test() -> None:
    """And each test of these modules has its defect."""
    named = [name for module in MODULES for name in vars(module) if name.startswith("test_")]
    assert sorted(named) == sorted(DEFECTS.values())


def test_the_page_lists_the_defects() -> None:
    """docs/inspeqtor.md has a row for each, with the name of its test."""
    listed = {defect: name.strip("`") for defect, _, name in rows("What is right here", 3)}
    assert listed == dict(DEFECTS)
