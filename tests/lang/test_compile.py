"""From a folder, or from any bytes, to a configuration or problems."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.lang.compile import Compiled, compile_folder
from inspect_agent.lang.problems import render
from inspect_agent.lang.vocabulary import installed
from tests.lang.compiling import compiled, problems, said
from tests.lang.words import VOCABULARY

RULES = Path(__file__).parent.parent.parent / "rules"
FILES = ("inspect.conf", "inspeqtor.conf", "host.inq", "services.d/a.inq")


def compiled_files(files: dict[str, bytes]) -> Compiled:
    """What comes of a folder with these files."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "services.d"), 0o755)
        for name, content in files.items():
            with open(os.path.join(root, name), "wb") as file:
                file.write(content)
            os.chmod(os.path.join(root, name), 0o600)
        return compile_folder(root, VOCABULARY)


@given(st.dictionaries(st.sampled_from(FILES), st.binary(max_size=200)))
def test_any_bytes_are_a_configuration_or_a_problem(files: dict[str, bytes]) -> None:
    """No bytes make anything but a Compiled: a Config, or problems that can be shown."""
    made = compiled_files(files)
    assert (made.config is None) == bool(made.problems)
    problems(made).encode()


FRAGMENTS = (
    *("check host", "check service a", "check service b", "check probe p", "check jobs"),
    *("with owner ops", "with needs", "a", '"a, b"', ",", "pidfile /x", "start", "timeout 5s"),
    *("\n if memory:rss > 5m", "if swap > 5%", "if disk(/) < 5", "if restarted", "and", "or"),
    *("until < 4m", "for 2 cycles", "for 3 of 5 cycles", "for 5m", "then alert", "then restart"),
    *("else alert", "ops", "as warning", "restart b", "run x", "\n", "# x\n", '"', "5%", "\x00"),
)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map(" ".join))
def test_any_statements_are_a_configuration_or_problems(text: str) -> None:
    """The same for texts that come near to rules."""
    made = compiled_files({"host.inq": text.encode()})
    assert (made.config is None) == bool(made.problems)
    problems(made).encode()


def test_all_problems_of_all_files_at_once() -> None:
    """Syntax and meaning, in the conf and in every file, in the order of the places."""
    assert said(
        "check host\n  if swop > 5% then alert\n  if swap 5% then alert\n",
        "check service x with owner nobody\n  if down then restart y\n",
        conf="set cycle_time 0\nsend alerts to ops via lgo\n",
    ) == [
        "inspect.conf:1:16: 0 is out of range",
        "inspect.conf:2:24: unknown channel lgo",
        "a.inq:2:6: unknown metric swop",
        "a.inq:3:11: unexpected 5%",
        "b.inq:1:28: unknown route nobody",
    ]


def test_what_may_be_in_an_unreadable_part_is_not_missed() -> None:
    """A service or route is only called unknown where everything could be read."""
    assert said("check service redis wth x\ncheck service a\n if down then restart redis\n") == [
        "a.inq:1:21: unexpected wth"
    ]
    assert said("check service a with owner ops\n", conf="send alerts to ops\n") == [
        "inspect.conf:1:19: via is missing here"
    ]
    assert compiled_files(
        {"services.d/a.inq": b"\xff", "host.inq": b"check service b with needs a"}
    ).problems == (compiled_files({"services.d/a.inq": b"\xff"}).problems)


def test_two_checks_of_one_service_name_both_places() -> None:
    """People copy a file and forget to change its first line."""
    made = compiled("check service redis\n", "# a copy\n\ncheck service redis\n")
    assert problems(made) == (
        "b.inq:3:15: the service redis is checked twice\n"
        "    check service redis\n"
        "                  ^\n"
        "    first at a.inq:1"
    )


def test_a_service_may_be_named_before_its_check() -> None:
    """`restart` and `needs` find services in whatever file they are."""
    assert said("check service a with needs b\n  if down then restart b\n", "check service b") == []


def test_owner_and_route_have_to_be_declared() -> None:
    """Without a conf there is no route but the default."""
    assert said("check service a with owner ops\n if down then alert boss, alert\n", conf="") == [
        "a.inq:1:28: unknown route ops",
        "a.inq:2:21: unknown route boss",
    ]


def test_inspeqtor_conf_is_read_as_inspeqtor_did() -> None:
    """What is an error in inspect.conf is a warning there, and the first setting counts."""
    conf = "set cycle_time 30\nset cycle_time 60\nset colour blue\nset log_level loud\n"
    made = compiled(conf=conf, file="inspeqtor.conf")
    assert made.config is not None
    assert (made.config.settings.cycle_time_s, made.config.settings.log_level) == (30.0, "info")
    assert [render(warning).split("\n")[0] for warning in made.warnings] == [
        "inspeqtor.conf:2:5: warning: cycle_time is set twice",
        "inspeqtor.conf:3:5: warning: unknown setting colour",
        "inspeqtor.conf:4:15: warning: loud is not possible here",
    ]
    assert len(said(conf=conf)) == 3


def test_no_secret_is_in_any_problem() -> None:
    """A password shows in no problem, however badly it is written."""
    for value in (
        "geheim x",
        "geheim, x",
        '"geheim',
        "geheim(x",
        "x geheim",
        "(geheim)",
        ",geheim",
    ):
        conf = f"send alerts via email with to_email nobody, password {value}, tls_port geheim\n"
        made = compiled(conf=conf)
        assert made.problems
        assert "geheim" not in problems(made)


def test_settings_are_known_although_there_are_problems(tmp_path: Path) -> None:
    """The agent looks for its last good configuration where the bad one keeps its state."""
    made = compiled("check nonsense", conf="set state_dir /srv/state\nset cycle_time 0\n")
    assert made.config is None
    assert (made.settings.state_dir, made.settings.cycle_time_s) == ("/srv/state", 15.0)


def test_what_cannot_be_loaded_is_a_warning() -> None:
    """A source of a third party that raises keeps nothing else from working."""
    with tempfile.TemporaryDirectory() as root:
        made = compile_folder(root, VOCABULARY._replace(faults=("source x cannot be loaded: y",)))
    assert made.config is not None
    assert made.config.warnings == ("inspect-agent: warning: source x cannot be loaded: y",)


def test_the_library_of_rules(tmp_path: Path) -> None:
    """Every file in rules/ is a configuration of this version, without a warning."""
    names = [path.relative_to(RULES) for path in RULES.rglob("*.inq")]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((RULES / name).read_text("utf-8"), "utf-8")
    made = compile_folder(str(tmp_path), installed())
    assert problems(made) == ""
    assert made.config is not None
    assert len(made.config.services) == len(names) - 1
    assert all(service.rules for service in made.config.services)
    assert made.config.host.rules


@pytest.mark.parametrize("name", sorted(path.name for path in RULES.rglob("*.inq")))
def test_each_rule_file_says_why(name: str) -> None:
    """A rule file starts with a comment."""
    (path,) = RULES.rglob(name)
    assert path.read_text("utf-8").startswith("# ")
