"""What a machine says against a configuration; its answers are values, so none is needed."""

from __future__ import annotations

from inspect_agent.lang.compile import Reading, compile_texts
from inspect_agent.lang.files import Text, Texts
from inspect_agent.lang.problems import Wrong, render
from inspect_agent.lang.report import Findings
from inspect_agent.lang.warnings import here
from inspect_agent.lang.warnings.here import Answers
from inspect_agent.model.observation import Observation
from tests.lang.words import VOCABULARY

SYSTEMD = Answers(
    ("systemd",),
    ("cron", "dbus.socket", "redis@1", "sidekiq", "sidekiq@1", "sidekiq@2"),
    {
        "sidekiqq": Observation("absent", reason="Unit sidekiqq.service not found."),
        "nothing-like-it": Observation("absent", reason="Unit nothing-like-it.service not found."),
        "cron": Observation("up", 7, "active (running)", restarts_itself=True),
        "nginx": Observation("up", 8, "active (running)"),
        "mute": Observation("unknown", reason="no answer"),
    },
)


def said(text: str, answers: Answers) -> str:
    """The warnings about a sound file on a machine that answers so."""
    texts = Texts(Text("inspect.conf", ""), (Text("a.inq", text),))
    reading = Reading(texts, lambda path: Wrong("no file {}"), Findings(VOCABULARY.secrets()))
    made = compile_texts(
        reading, VOCABULARY, lambda config, placed, report: here.warn(placed, answers, report)
    )
    assert made.config is not None, made.problems
    warnings = tuple(render(warning) for warning in made.warnings)
    assert made.config.warnings == warnings
    return "\n".join(warnings)


def test_services_that_nobody_knows() -> None:
    """Each is told with the nearest that is known, or else in its manager's words."""
    text = "check service sidekiqq\ncheck service nothing-like-it with manager systemd\n"
    assert (
        said(text, SYSTEMD)
        == """\
a.inq:1:15: warning: nothing called sidekiqq is known to systemd here
    check service sidekiqq
                  ^
    did you mean sidekiq?
a.inq:2:15: warning: nothing called nothing-like-it is known to systemd here
    check service nothing-like-it with manager systemd
                  ^
    Unit nothing-like-it.service not found."""
    )


def test_what_is_known_or_may_be() -> None:
    """A service that was seen, whose manager cannot be asked, or that has a PID file."""
    text = "check service nginx\ncheck service mute\ncheck service never-asked\n"
    text += "check service worker with pidfile /run/worker.pid\ncheck host\n"
    assert said(text, SYSTEMD) == ""


def test_templates() -> None:
    """One without an instance is told, unless some manager did not say which it has."""
    text = "check service sidekiq@*\ncheck service sidekik@*\ncheck service puma@*\n"
    assert (
        said(text, SYSTEMD)
        == """\
a.inq:2:15: warning: no instance of sidekik@* is known to systemd here
    check service sidekik@*
                  ^
    did you mean sidekiq@*?
a.inq:3:15: warning: no instance of puma@* is known to systemd here
    check service puma@*
                  ^
    they are watched as they appear"""
    )
    troubled = SYSTEMD._replace(troubles=("runit does not answer",))
    assert said(text, troubled) == "inspect-agent: warning: runit does not answer"


def test_a_manager_that_does_not_run() -> None:
    """It is told at its name; nothing else can be said of the service."""
    text = "check service sidekiqq with manager systemd\n"
    assert (
        said(text, Answers(("runit", "s6"), seen=SYSTEMD.seen))
        == """\
a.inq:1:37: warning: systemd does not run here
    check service sidekiqq with manager systemd
                                        ^
    here run runit and s6"""
    )


def test_repairs_that_race_with_the_manager() -> None:
    """What is down starts again by itself, unless a rule is faster; one with a hold is not."""
    text = """\
check service cron
  if down then alert, start
  if down or memory:rss > 5m then restart cron
check service nginx
  if down then start
"""
    assert (
        said(text, SYSTEMD)
        == """\
a.inq:2:23: warning: start at once, and its manager restarts cron by itself
      if down then alert, start
                          ^
    for 2 cycles, before then, leaves it the time to do so
a.inq:3:35: warning: restart at once, and its manager restarts cron by itself
      if down or memory:rss > 5m then restart cron
                                      ^
    for 2 cycles, before then, leaves it the time to do so"""
    )
    text = """\
check service cron
  if down for 2 cycles then start
  if down for 1 cycle then restart
  if failed then start
  if memory:rss > 5m then restart
  if down then alert, start nginx, run "logger gone"
check service nginx
  if down then start
"""
    assert said(text, SYSTEMD) == ""


def test_users_that_there_are_not() -> None:
    """In rules of the machine, of services and of probes, with the nearest there is."""
    text = """\
check host
  if swap > 5% then run "x" as ww-data, run "y" as root
check service nginx
  if down then run "x", alert, run "y" as nobdy
check probe p with url https://p.example
  if http fails then run "x" as somebody-else
"""
    strangers = frozenset({"ww-data", "nobdy", "somebody-else"})
    answers = SYSTEMD._replace(users=("root", "www-data", "nobody"), strangers=strangers)
    assert (
        said(text, answers)
        == """\
a.inq:2:32: warning: no user is called ww-data here
      if swap > 5% then run "x" as ww-data, run "y" as root
                                   ^
    did you mean www-data?
a.inq:4:43: warning: no user is called nobdy here
      if down then run "x", alert, run "y" as nobdy
                                              ^
    did you mean nobody?
a.inq:6:33: warning: no user is called somebody-else here
      if http fails then run "x" as somebody-else
                                    ^"""
    )


def test_a_configuration_with_a_mistake_is_not_judged() -> None:
    """The machine is not even asked."""

    def judge(config: object, placed: object, report: object) -> None:
        raise AssertionError(placed)

    for conf, rules in (("", "check host\n  if x > 5 then alert\n"), ("set x 5", "")):
        texts = Texts(Text("inspect.conf", conf), (Text("a.inq", rules),))
        reading = Reading(texts, lambda path: Wrong("no file {}"), Findings())
        assert compile_texts(reading, VOCABULARY, judge).problems


def test_releases_that_no_deploy_could_flip() -> None:
    """Each is told at its path, with what is wrong with it; others are none of our business."""
    text = """\
check service nginx with release /srv/shop/curent
  if stale then restart
check service worker with release "/srv/{}/releases/1", pidfile /run/worker.pid
  if stale then alert
check service cron with release /srv/shop/current
  if stale then alert
"""
    releases = {
        "/srv/shop/curent": "/srv/shop/curent: No such file or directory",
        "/srv/{}/releases/1": "/srv/{}/releases/1 has no symlink in it",
    }
    assert (
        said(text, SYSTEMD._replace(releases=releases))
        == """\
a.inq:1:34: warning: /srv/shop/curent is no symlink to a release here
    check service nginx with release /srv/shop/curent
                                     ^
    /srv/shop/curent: No such file or directory
a.inq:3:35: warning: /srv/{}/releases/1 is no symlink to a release here
    check service worker with release "/srv/{}/releases/1", pidfile /run/worker.pid
                                      ^
    /srv/{}/releases/1 has no symlink in it"""
    )
