"""`inspectctl explain FILE[:LINE]`: what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspect_agent.cli import ctl, paths

PAGE = Path(__file__).parent.parent.parent / "docs" / "language.md"
Captured = pytest.CaptureFixture[str]
SIDEKIQ = """\
# sidekiq

check service sidekiq
  if memory:rss > 500m for 2 cycles then restart

  if down then alert ops
"""
CONF = "send alerts via email with to_email ops@example.com\nsend alerts to ops via hipchat\n"
RULE = """\
services.d/sidekiq.inq:4  if memory:rss > 500m for 2 cycles

  Every 15 s; when the resident memory of sidekiq's main process has been over 500 MiB in 2
  consecutive samples:
    - restart sidekiq
  While it lasts, nobody is alerted; this is done again each time the condition has held anew,
  in 2 consecutive samples since that ended, within its budget.
  It is over with the first sample that says otherwise; then nobody is told, and nothing is
  repaired.

services.d/sidekiq.inq:3  repairs of sidekiq

  A command may take 30 s; then it is killed, and has failed.
  A start or restart is verified: sidekiq has to be up within 45 s, after a restart with a new
  process, and to stay so for 15 s (one cycle).
  What fails is told to the owner, the default route (email to ops@example.com), as critical;
  what succeeds is told to nobody, or after a failure to the owner, as info.
  Budget: 3 times in 10 minutes, all rules together; what one rule does in one go counts once.
  When more is wanted, the owner is told as critical, and nothing is tried for 5 minutes; each
  time that it comes to this again, for twice as long, up to 1 hour.
  Nothing is done in a deploy window, while it is not monitored or while something else is done
  to it. On the whole machine at most 4 things are done at once; others wait.
  It is not started or restarted while its manager is about to do so.

In every rule

  - A sample without a value is left out: by it no rule begins, and none is over. After 3 of
    them a row of samples, or a time, begins anew.
  - When a service has a new process, rules that repair it, signal it or run a command count
    anew; others go on.
  - While a deploy window is open (`inspectctl start deploy`; without a length it ends after 5
    minutes), and for 1 cycle after it, nothing is judged, told or repaired; what is wrong after
    that is told. The same holds between `inspectctl unmonitor` and `monitor`, and for a cycle
    that comes late by more than two, as after a suspend.
"""
SENT = """\
inspect.conf:2  send alerts

  the route ops (the log)
"""
GONE = """\
inspect.conf:2:24: warning: the service hipchat no longer exists
    send alerts to ops via hipchat
                           ^
    its alerts go to the log
"""
BAD = "check service redis\n  if memory:rsss > 500m then alert\n"
BAD_SAID = """\
services.d/redis.inq:2:6: unknown metric memory:rsss
      if memory:rsss > 500m then alert
         ^
    did you mean memory:rss?
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A configuration's folder with one service."""
    (tmp_path / "services.d").mkdir()
    put(tmp_path / "services.d" / "sidekiq.inq", SIDEKIQ)
    put(tmp_path / "inspect.conf", CONF)
    return tmp_path


def put(path: Path, content: str | bytes) -> str:
    """Writes a file that root's agent would read, whose secrets nobody else does."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return str(path)


def explain(place: object) -> int:
    """The exit status."""
    return ctl.main(["explain", str(place)])


def test_a_rule(root: Path, capsys: Captured) -> None:
    """All that counts, also what is not written; exit 0. Its place is taken as problems tell it."""
    for place in ("sidekiq.inq:4", "sidekiq.inq:4:6"):
        assert explain(root / "services.d" / place) == 0
        assert capsys.readouterr() == (RULE, "")


def test_a_whole_file(root: Path, capsys: Captured) -> None:
    """The check, its rules, and what they have in common, in this order."""
    assert explain(root / "services.d" / "sidekiq.inq") == 0
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line[:1].strip()] == [
        "services.d/sidekiq.inq:3  check service sidekiq",
        "services.d/sidekiq.inq:4  if memory:rss > 500m for 2 cycles",
        "services.d/sidekiq.inq:6  if down",
        "services.d/sidekiq.inq:3  repairs of sidekiq",
        "In every rule",
    ]
    assert err == ""


def test_paths(root: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is looked up in the present folder, then below the configuration's usual one."""
    for folder, default, place in (
        (root, "/nowhere", "services.d/sidekiq.inq:4"),
        (root / "services.d", "/nowhere", "sidekiq.inq:4"),
        (Path("/"), str(root), "services.d/sidekiq.inq:4"),
    ):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(paths, "config_root", lambda *_, default=default: default)
        assert explain(place) == 0
        assert capsys.readouterr() == (RULE, "")


def test_a_name_that_looks_like_a_place(root: Path, capsys: Captured) -> None:
    """What is there by that name is meant."""
    put(root / "services.d" / "a:4.inq", "check service a")
    put(root / "services.d" / "b.inq:1", "check service b")
    put(root / "services.d" / "b.inq", "check service b")
    assert explain(root / "services.d" / "a:4.inq") == 0
    assert capsys.readouterr().out.startswith("services.d/a:4.inq:1  check service a\n")
    assert explain(root / "services.d" / "b.inq:1") == 1
    assert "the agent does not read such a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (1, ""),
        (5, "    above it stands: a rule, in line 4\n"),
        (7, "    above it stands: a rule, in line 6\n"),
        (999999999, "    above it stands: a rule, in line 6\n"),
        (0, ""),
    ],
)
def test_where_nothing_stands(root: Path, capsys: Captured, line: int, hint: str) -> None:
    """Exit 1, with what stands above."""
    assert explain(root / "services.d" / f"sidekiq.inq:{line}") == 1
    place = f"services.d/sidekiq.inq:{line}:1" if line else "services.d/sidekiq.inq"
    assert capsys.readouterr() == ("", f"{place}: nothing stands here\n{hint}")


def test_inspect_conf(root: Path, capsys: Captured) -> None:
    """Every setting and route; warnings come after that, and are no mistakes."""
    assert explain(root / "inspect.conf") == 0
    out, err = capsys.readouterr()
    assert "  - cycle_time: everything is sampled every 15 s (default)\n" in out
    assert out.endswith(
        "inspect.conf  who is alerted\n\n"
        "  - the default route (email to ops@example.com)\n"
        "  - the route ops (the log)\n"
        "  Each recipient gets a message of its own; what is not taken is tried again for a day.\n"
    )
    assert err == GONE


def test_a_statement_of_inspect_conf(root: Path, capsys: Captured) -> None:
    """That one, with the warnings about it."""
    assert explain(root / "inspect.conf:2") == 0
    assert capsys.readouterr() == (SENT, GONE)
    assert explain(root / "inspect.conf:1") == 0
    assert capsys.readouterr().err == ""


def test_inspeqtors_conf(root: Path, capsys: Captured) -> None:
    """A setting that nobody knows is one there, and does nothing."""
    (root / "inspect.conf").unlink()
    put(root / "inspeqtor.conf", "set colour blue\nset cycle_time 5\nsend alerts to ops via log\n")
    for line, said in (
        (1, "set colour\n\n  - colour: not known here, it changes nothing\n"),
        (2, "set cycle_time\n\n  - cycle_time: everything is sampled every 5 s\n"),
    ):
        assert explain(root / f"inspeqtor.conf:{line}") == 0
        assert capsys.readouterr().out == f"inspeqtor.conf:{line}  {said}"


def test_a_problem_in_the_file(root: Path, capsys: Captured) -> None:
    """Is printed as check does, and nothing else; exit 1."""
    redis = put(root / "services.d" / "redis.inq", BAD)
    put(root / "services.d" / "other.inq", "check nothing")
    assert explain(redis) == 1
    assert capsys.readouterr() == ("", BAD_SAID)


def test_a_problem_in_another_file(root: Path, capsys: Captured) -> None:
    """The file is explained, and the problem told: the agent would not load any of it; exit 1."""
    put(root / "services.d" / "redis.inq", BAD)
    assert explain(root / "services.d" / "sidekiq.inq:4") == 1
    assert capsys.readouterr() == (RULE, BAD_SAID)


def test_a_problem_in_another_file_that_is_needed(root: Path, capsys: Captured) -> None:
    """Nobody can say what a rule means for a service whose check has a mistake; exit 1."""
    put(root / "services.d" / "redis.inq", BAD)
    needy = put(root / "services.d" / "needy.inq", 'check service x with needs "redis"')
    assert explain(needy) == 1
    assert capsys.readouterr() == ("", BAD_SAID)


def test_a_problem_in_inspect_conf(root: Path, capsys: Captured) -> None:
    """Nobody can say who is alerted; exit 1, and no secret is shown."""
    put(root / "inspect.conf", f"{CONF}send alerts via email with password geheim, to_email a@b")
    assert explain(root / "services.d" / "sidekiq.inq") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("inspect.conf:3:")
    assert "geheim" not in err


@pytest.mark.parametrize("name", ["services.d/x.inq", "host.inq", "inspect.conf"])
def test_what_is_no_text(root: Path, capsys: Captured, name: str) -> None:
    """Is told as check does; exit 1."""
    for content in (b"\0", b"\xff\xfe", b"#" * 1024 * 1024 * 2, b"if", b'"'):
        assert explain(put(root / name, content)) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"{name}:")


def test_links_that_lead_nowhere(root: Path, capsys: Captured) -> None:
    """Are told as check does; exit 1."""
    (root / "services.d" / "gone.inq").symlink_to("/no/such")
    (root / "services.d" / "loop.inq").symlink_to("loop.inq")
    (root / "services.d" / "folder.inq").mkdir()
    for name, said in (
        ("gone", "a link to /no/such, which is missing"),
        ("loop", "a loop of links"),
        ("folder", "a folder, not a file"),
    ):
        assert explain(root / "services.d" / f"{name}.inq:1") == 1
        assert capsys.readouterr() == ("", f"services.d/{name}.inq: {said}\n")


def test_a_file_that_is_not_there(
    root: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1, with where it was looked for."""
    monkeypatch.setattr(paths, "config_root", lambda *_: "/etc/x")
    for place in (root / "services.d" / "x.inq:4", "x\x1b.inq", ":", f"x:{'9' * 5000}"):
        assert explain(place) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.endswith(": no such file\n    neither here nor below /etc/x\n")
        assert "\x1b" not in err


def test_a_file_that_is_not_read(root: Path, capsys: Captured) -> None:
    """Exit 1, with the files that are."""
    names = ("x.inq", "x.txt", "services.d/x", "services.d/.x.inq")
    for name in names:
        path = put(root / name, SIDEKIQ)
        assert explain(path) == 1
        assert capsys.readouterr() == (
            "",
            f"{path}: the agent does not read such a file\n"
            "    it reads inspect.conf, host.inq, services.d/*.inq and jobs.d/*.inq\n",
        )


def test_a_folder(root: Path, capsys: Captured) -> None:
    """Exit 1, with what looks at folders."""
    assert explain(root) == 1
    assert capsys.readouterr() == (
        "",
        f"{root}: a folder, not a file\n    `inspectctl check DIR` looks at a whole folder\n",
    )


def test_the_page(root: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/language.md shows what is printed."""
    part = PAGE.read_text("utf-8").partition("## In plain words\n")[2].partition("\n## ")[0]
    lines = [line.removeprefix("    ") for line in part.splitlines() if line.startswith("    ")]
    command, *shown = lines[1:]
    monkeypatch.chdir(root)
    assert ctl.main(command.removeprefix("$ inspectctl ").split()) == 0
    assert "\n".join(shown) in capsys.readouterr().out.replace("\n\n", "\n")


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["-x"]])
def test_wrong_usage(capsys: Captured, arguments: list[str]) -> None:
    """Exit 2."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(["explain", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: inspectctl explain [-h] FILE[:LINE]\n")


def test_a_present_folder_that_is_gone(
    root: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is no reason to fail."""
    gone = root / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(paths, "config_root", lambda *_: str(root))
    assert explain("services.d/sidekiq.inq:4") == 0
    assert capsys.readouterr() == (RULE, "")
