"""A machine's whole /etc/inspeqtor: corpus/etc."""

from __future__ import annotations

from pathlib import Path

from tests.inspeqtor.moving import CORPUS, G, M, meaning, moved, sound, when


def test_a_whole_folder(tmp_path: Path) -> None:
    """/etc/inspeqtor as an operator has it is read where it is, and nothing in it is edited."""
    etc = CORPUS / "etc"
    files = {str(path.relative_to(etc)): path for path in etc.rglob("*") if path.is_file()}
    config = sound(moved(tmp_path, files))

    settings = config.settings
    assert (settings.cycle_time_s, settings.deploy_length_s) == (30.0, 600.0)
    assert settings.log_level == "warn"
    assert [(to.key, dict(to.params)["to_email"]) for to in config.destinations] == [
        ("default/gmail", "duty@example.org"),
        ("ops/email", "ops@example.org"),
        ("dba/email", "dba@example.org"),
    ]
    assert dict(config.destinations[1].params) == {
        "smtp_server": "mail.example.org",
        "tls_port": "2525",
        "username": "web-1",
        "password": "w!nter-2031;",
        "to_email": "ops@example.org",
        "from_email": "web-1@example.org",
    }
    assert [meaning(rule) for rule in config.host.rules] == [
        when("load:5", ">", 8, "alert ops", cycles=4),
        when("swap", ">", 25, "alert ops"),
        when("disk:/", ">", 90, "alert ops"),
        when("disk:/var/lib/mysql", ">", 80, "alert dba"),
    ]
    watched = {
        service.name: [service.owner, *(meaning(rule) for rule in service.rules)]
        for service in config.services
    }
    assert watched == {
        "mysql": [
            "dba",
            when("memory:rss", ">", 6 * G, "alert dba", cycles=2),
            when("cpu:user", ">", 150, "alert dba", "alert ops", cycles=8),
        ],
        "nginx": ["", when("memory:total_rss", ">", 700 * M, "reload")],
        "sidekiq": [
            "ops",
            when("memory:rss", ">", 900 * M, "restart", "alert ops", cycles=2),
            when("cpu:user", ">", 95, "restart", cycles=20),
        ],
    }
