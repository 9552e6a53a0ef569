"""Files that are dropped, edited, renamed and removed: status names them, autoreload loads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.post import Postbox
from tests.integration.running import RunningAgent

AUTO = {"autoreload": "yes"}
BROKEN = "check service b\n  if memory:rsss > 1m then alert\n"
PROBLEMS = "The configuration on disk has problems and is not in force: inspectctl check shows them"
MENDED = "The configuration on disk had problems, and has changed since: inspectctl reload"


def check(name: str) -> str:
    """A service that is not there."""
    return f"check service {name} with pidfile /run/no-such-{name}.pid\n"


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent that loads nothing unasked."""
    with RunningAgent(tmp_path / "agent", check("a")) as agent:
        yield agent


@pytest.fixture
def auto(tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent that loads what changes."""
    with RunningAgent(tmp_path / "agent", check("a"), settings=AUTO) as agent:
        yield agent


def names(status: dict[str, Any]) -> list[str]:
    """The services of a status."""
    return [service["name"] for service in status["services"]]


def not_loaded(status: dict[str, Any]) -> dict[str, str]:
    """The files that are not in force, and how they differ."""
    return {one["file"]: one["how"] for one in status["not_loaded"]}


def notes(agent: RunningAgent) -> list[str]:
    """The lines of status between the first and the host, but for what waits to be told."""
    lines = agent.say(b"status\n").splitlines()
    return [line for line in lines[1 : lines.index("")] if not line.startswith("Alerts for")]


def file(agent: RunningAgent, name: str) -> Path:
    """A file of services.d."""
    return agent.etc / "services.d" / f"{name}.inq"


# without autoreload


def test_a_dropped_file_shows_as_not_loaded(asked: RunningAgent) -> None:
    """At once, in words and as JSON, and until it is loaded; what editors leave does not."""
    assert (notes(asked), asked.export()["not_loaded"]) == ([], [])
    asked.write("b", check("b"))
    file(asked, ".b").write_text("left by an editor")
    assert notes(asked) == [
        "Not loaded yet: services.d/b.inq (new); inspectctl reload does it, or says why not"
    ]
    assert asked.export()["not_loaded"] == [{"file": "services.d/b.inq", "how": "new"}]
    assert names(asked.export()) == ["a"]
    assert asked.ctl("reload").stdout == "Reloaded\nadded b\n"
    assert (notes(asked), names(asked.export())) == ([], ["b", "a"])


def test_edited_renamed_and_removed(asked: RunningAgent) -> None:
    """Each is named with what has become of it; nothing is loaded unasked."""
    for name in ("b", "c", "d", "e"):
        asked.write(name, check(name))
    asked.ask("reload")
    asked.write("b", check("b") + "  if down then start\n")
    file(asked, "c").touch()
    file(asked, "d").rename(file(asked, "z"))
    file(asked, "e").unlink()
    asked.configure(settings={"cycle_time": "0.25s"})
    assert not_loaded(asked.export()) == {
        "inspect.conf": "changed",
        "services.d/b.inq": "changed",
        "services.d/c.inq": "changed",
        "services.d/d.inq": "gone",
        "services.d/e.inq": "gone",
        "services.d/z.inq": "new",
    }
    assert notes(asked)[0].startswith("Not loaded yet: inspect.conf (changed), services.d/b.inq")
    assert " (gone), and 1 more; " in notes(asked)[0]
    asked.cycles(3)
    assert sorted(names(asked.export())) == ["a", "b", "c", "d", "e"]


def test_broken_then_mended(asked: RunningAgent) -> None:
    """A rejected reload leaves it not loaded; status knows when it was written to since."""
    asked.write("b", BROKEN)
    refused = asked.ctl("reload")
    shown = "Not loaded yet: services.d/b.inq (new); inspectctl reload does it, or says why not"
    assert (refused.returncode, notes(asked)) == (1, [PROBLEMS, shown])
    asked.write("b", check("b"))
    assert notes(asked) == [MENDED, shown]
    assert asked.ctl("reload").returncode == 0
    assert notes(asked) == []


def test_after_a_start_on_the_last_good_configuration(asked: RunningAgent) -> None:
    """Only what says something else than what is in force is named: not what merely lies there."""
    asked.write("b", check("b"))
    asked.ask("reload")
    asked.stop()
    asked.write("a.copy", "")
    file(asked, "a.copy").unlink()
    file(asked, "rules").touch()
    asked.write("b", BROKEN)
    asked.start()
    assert notes(asked) == [
        PROBLEMS,
        "Not loaded yet: services.d/b.inq (changed); inspectctl reload does it, or says why not",
    ]


# with autoreload


def test_a_dropped_file_is_loaded(auto: RunningAgent) -> None:
    """Within a cycle, without a word; then an edit, a new name, and its end."""
    auto.write("b", check("b"))
    auto.logged("reload: files of the configuration have changed")
    auto.logged("Reloaded")
    auto.logged("added b")
    auto.write("b", check("b") + "  if down then alert\n")
    auto.logged("changed b")
    file(auto, "b").rename(file(auto, "z"))
    auto.logged("Reloaded")
    auto.logged("nothing changed")
    file(auto, "z").unlink()
    auto.logged("removed b")
    assert (notes(auto), names(auto.export())) == ([], ["a"])


def test_a_touched_file_is_read_once(auto: RunningAgent) -> None:
    """Nothing has changed, and it is not read in every cycle."""
    file(auto, "rules").touch()
    auto.logged("nothing changed")
    auto.cycles(5)
    assert len(auto.lines("files of the configuration have changed")) == 1
    assert notes(auto) == []


def test_a_broken_file_is_tried_once_and_again_when_it_is_mended(
    tmp_path: Path, post: Postbox
) -> None:
    """The running configuration stays, as at any rejected reload, and the log is not filled."""
    sends = post.send()
    with RunningAgent(tmp_path / "agent", check("a"), sends, AUTO) as auto:
        assert post.told(1) == ["CRITICAL a: not running"]
        auto.write("b", BROKEN)
        auto.logged(r"services.d/b.inq:2:6: unknown metric memory:rsss")
        auto.logged("not reloaded: the running configuration stays")
        auto.cycles(5)
        auto.write("c", check("c"))
        auto.logged("not reloaded: the running configuration stays")
        auto.cycles(5)
        assert len(auto.lines("files of the configuration have changed")) == 2
        assert auto.export()["problems"] == [PROBLEMS]
        assert not_loaded(auto.export()) == {"services.d/b.inq": "new", "services.d/c.inq": "new"}
        assert names(auto.export()) == ["a"]

        auto.write("b", check("b"))
        auto.until(lambda status: names(status) == ["b", "c", "a"])
        assert notes(auto) == []
        assert sorted(post.told(2)) == ["CRITICAL b: not running", "CRITICAL c: not running"]


def test_a_file_that_is_still_being_written(auto: RunningAgent) -> None:
    """Its first half is rejected; the whole is loaded as soon as it is there."""
    with file(auto, "b").open("w", buffering=1) as half:
        half.write(check("b") + "  if memory:rss >\n")
        auto.logged("not reloaded: the running configuration stays")
        assert names(auto.export()) == ["a"]
        half.seek(0)
        half.truncate()
        half.write(check("b") + "  if memory:rss > 1g then alert\n")
    auto.logged("added b")
    assert notes(auto) == []


def test_a_start_on_the_last_good_configuration_heals_itself(auto: RunningAgent) -> None:
    """The broken file is not tried in every cycle; mended, it is loaded, and that is told."""
    auto.stop()
    auto.write("b", BROKEN)
    auto.start()
    auto.cycles(3)
    assert auto.lines("files of the configuration have changed") == []
    auto.write("b", check("b"))
    auto.logged("added b")
    assert notes(auto) == []


def test_autoreload_can_be_switched_by_itself(auto: RunningAgent) -> None:
    """A configuration that is loaded unasked may say that it was the last one."""
    auto.configure(settings={"autoreload": "no"})
    auto.logged("Reloaded")
    auto.write("b", check("b"))
    auto.cycles(3)
    assert not_loaded(auto.export()) == {"services.d/b.inq": "new"}
    auto.configure(settings=AUTO)
    auto.ask("reload")
    auto.write("c", check("c"))
    auto.logged("added c")


def test_a_value_that_lies_in_a_file_of_its_own(tmp_path: Path) -> None:
    """A password that is rotated is loaded, too, wherever it lies."""
    secret = tmp_path / "name"
    secret.write_text("web-1\n")
    settings = {**AUTO, "hostname": f"file:{secret}"}
    with RunningAgent(tmp_path / "agent", settings=settings) as agent:
        secret.write_text("web-2\n")
        agent.until(lambda status: status["host"]["name"] == "web-2")


def test_a_command_does_not_collide_with_it(auto: RunningAgent) -> None:
    """`inspectctl reload` in a deploy script succeeds, also while a reload is running."""
    for number in range(5):
        auto.write("b", check(f"b{number}"))
        reloaded = auto.ctl("reload")
        assert (reloaded.returncode, reloaded.stderr) == (0, "")
        assert names(auto.export()) == [f"b{number}", "a"]


def test_a_thousand_files(auto: RunningAgent) -> None:
    """They are loaded together or in a few parts, whatever the cycle found half-written."""
    for number in range(1000):
        auto.write(f"s{number:03}", check(f"s{number}"))
    auto.until(lambda status: len(names(status)) == 1001)
    assert notes(auto) == []
    for number in range(0, 1000, 2):
        file(auto, f"s{number:03}").unlink()
    auto.until(lambda status: len(names(status)) == 501)
    assert notes(auto) == []
