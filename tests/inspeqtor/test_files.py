"""Every .inq file that Inspeqtor 2.0 accepts means the same here: corpus/ holds every shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.inspeqtor.moving import (
    CORPUS,
    G,
    K,
    M,
    Means,
    P,
    T,
    meaning,
    moved,
    sound,
    stems,
    when,
)

SERVICES: Mapping[str, tuple[str, str, Sequence[Means]]] = {
    "plain": ("cron", "", [when("memory:rss", ">", 100 * M, "alert")]),
    "parentheses": (
        "memcached",
        "",
        [
            when("memory:rss", ">", G, "restart"),
            when("cpu:user", ">", 80, "alert"),
            when("memory:total_rss", ">", 2 * G, "alert"),
        ],
    ),
    "every_metric": (
        "unicorn",
        "",
        [
            when("memory:rss", ">", 1, "alert"),
            when("memory:total_rss", ">", 2, "alert"),
            when("cpu:user", ">", 3, "alert"),
            when("cpu:system", ">", 4, "alert"),
            when("cpu:total_user", ">", 5, "alert"),
            when("cpu:total_system", ">", 6, "alert"),
        ],
    ),
    "amounts": (
        "redis",
        "",
        [
            *(
                when("memory:rss", ">", value, "alert")
                for value in (M, 3 * K, 3 * K, 5 * M, 5 * M, 7 * G, 7 * G, 2 * T, P, 0, 10 * M)
            ),
            *(when("cpu:user", ">", value, "alert") for value in (60, 60, 250)),
        ],
    ),
    "less_than": (
        "clockwork",
        "",
        [
            when("cpu:user", "<", 1, "restart", cycles=40),
            when("memory:rss", "<", 8 * M, "alert"),
        ],
    ),
    "cycles": (
        "puma",
        "",
        [
            when("memory:rss", ">", 400 * M, "alert", cycles=1),
            when("memory:rss", ">", 500 * M, "reload", cycles=2),
            when("memory:rss", ">", 500 * M, "restart", cycles=12),
            when("memory:rss", ">", 500 * M, "alert ops", cycles=240),
        ],
    ),
    "actions": (
        "resque",
        "",
        [
            when("memory:rss", ">", 1 * G, "alert"),
            when("memory:rss", ">", 2 * G, "alert ops"),
            when("memory:rss", ">", 3 * G, "restart"),
            when("memory:rss", ">", 4 * G, "reload"),
            when("memory:rss", ">", 5 * G, "restart", "alert"),
            when("memory:rss", ">", 6 * G, "alert", "alert ops", "alert dba", "restart"),
        ],
    ),
    "owner": (
        "postgresql",
        "dba",
        [
            when("memory:rss", ">", 4 * G, "alert dba"),
            when("memory:rss", ">", 8 * G, "alert ops", "restart"),
        ],
    ),
    "owner_below": ("postgresql", "dba", [when("memory:rss", ">", 4 * G, "alert dba")]),
    "owner_in_quotes": ("postgresql", "dba", [when("memory:rss", ">", 4 * G, "alert dba")]),
    "comments": (
        "haproxy",
        "",
        [when("memory:rss", ">", 200 * M, "alert"), when("cpu:user", ">", 90, "alert")],
    ),
    **dict.fromkeys(
        ("one_line", "a_word_a_line"),
        (
            "varnish",
            "ops",
            [
                when("memory:rss", ">", 2 * G, "restart", "alert ops", cycles=3),
                when("cpu:user", ">", 80, "alert dba"),
            ],
        ),
    ),
    "tabs": (
        "bind9",
        "",
        [
            when("memory:rss", ">", 300 * M, "alert", cycles=2),
            when("cpu:user", ">", 50, "restart"),
        ],
    ),
    "crlf": (
        "exim4",
        "",
        [when("memory:rss", ">", 50 * M, "restart"), when("cpu:user", ">", 70, "alert")],
    ),
    "glued": (
        "dovecot",
        "",
        [
            when("memory:rss", ">", 300 * M, "alert", "restart"),
            when("memory:rss", ">", 500 * M, "reload", "alert ops", "alert dba", cycles=2),
            when("cpu:user", "<", 1, "alert"),
        ],
    ),
    "no_line_break_at_the_end": ("ntp", "", [when("memory:rss", ">", 30 * M, "alert")]),
    "words_within_words": (
        "check-host",
        "withers",
        [
            when("memory:rss", ">", 10 * M, "alert alerts"),
            when("memory:rss", ">", 20 * M, "alert thenceforth"),
            when("memory:rss", ">", 30 * M, "alert if-all-fails"),
        ],
    ),
    "blanks_at_the_colon": (
        "squid",
        "",
        [when("memory:rss", ">", G, "alert"), when("cpu:user", ">", 50, "alert")],
    ),
}
"""What corpus/service/NAME.inq means: the service, its owner, its rules."""

HOSTS: Mapping[str, tuple[str, Sequence[Means]]] = {
    "every_metric": (
        "",
        [
            when("swap", ">", 20, "alert"),
            when("load:1", ">", 16, "alert"),
            when("load:5", ">", 12, "alert"),
            when("load:15", ">", 8, "alert"),
            when("cpu", ">", 380, "alert"),
            when("cpu:user", ">", 300, "alert"),
            when("cpu:system", ">", 100, "alert"),
            when("cpu:iowait", ">", 50, "alert"),
            when("cpu:steal", ">", 10, "alert"),
            when("disk:/", ">", 90, "alert"),
        ],
    ),
    "parentheses": (
        "",
        [
            when("load:1", ">", 10, "alert", cycles=2),
            when("cpu:iowait", ">", 80, "alert"),
            when("disk:/", ">", 95, "alert"),
            when("disk:/home", ">", 95, "alert"),
        ],
    ),
    "mount_points": (
        "ops",
        [
            when("disk:/var/lib/docker", ">", 80, "alert ops"),
            when("disk:/mnt/backup-2_old.d", ">", 99, "alert ops"),
            when("disk:/srv/~tmp+x@y", ">", 1, "alert ops"),
            when("disk:/media/a=b!", ">", 2, "alert ops"),
        ],
    ),
    "below": (
        "",
        [
            when("load:15", "<", 1, "alert ops", cycles=240),
            when("cpu:user", "<", 2, "alert", cycles=240),
        ],
    ),
}
"""What corpus/host/NAME.inq means: the owner, and the rules."""


@pytest.mark.parametrize("name", SERVICES)
def test_services(tmp_path: Path, name: str) -> None:
    """services.d/NAME.inq watches this service, for this owner, by these rules."""
    config = sound(moved(tmp_path, {"services.d/x.inq": CORPUS / f"service/{name}.inq"}))
    (service,) = config.services
    rules = [meaning(rule) for rule in service.rules]
    assert (service.name, service.owner, rules) == SERVICES[name]
    assert config.host.rules == ()


@pytest.mark.parametrize("name", HOSTS)
def test_hosts(tmp_path: Path, name: str) -> None:
    """host.inq watches the machine, for this owner, by these rules."""
    config = sound(moved(tmp_path, {"host.inq": CORPUS / f"host/{name}.inq"}))
    rules = [meaning(rule) for rule in config.host.rules]
    assert (config.host.owner, rules) == HOSTS[name]
    assert config.services == ()


def test_every_file_is_looked_at() -> None:
    """The tables above name each file of their folders."""
    assert (stems("service"), stems("host")) == (set(SERVICES), set(HOSTS))
