from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.upstart_conf import Conf, expand, parse_conf, read_conf, solve

SIDEKIQ = """
description "jobs"       # respawn is below
respawn
respawn limit 3 30
instance $index          # one a core
reload signal USR1
pre-start script
  instance $nothing
  respawn
end script
exec su - app -c "bundle exec sidekiq -i $index"
"""


@pytest.mark.parametrize(
    ("text", "conf"),
    [
        ("", Conf()),
        (SIDEKIQ, Conf(True, "$index")),
        ("respawn limit 3 30\nexec true\n", Conf()),
        ("exec respawn\n# respawn\n#instance $x\n", Conf()),
        ("  respawn\t# always\n", Conf(True, "")),
        ("script\nrespawn\nend script\n", Conf()),
        ("\tscript\t\nrespawn\n  end  script\nrespawn\n", Conf(True, "")),
        ("instance $a\ninstance $b\n", Conf(False, "$b")),
        ('instance "$app-$index"\n', Conf(False, "$app-$index")),
        ("instance '${app}'\n", Conf(False, "${app}")),
        ("instance \\\n  $index\n", Conf(False, "$index")),
        ("instance $app $index\n", Conf(False, "$app $index")),
        ("instance a#b\n", Conf(False, "a#b")),
    ],
)
def test_stanzas(text: str, conf: Conf) -> None:
    """What init(5) says of respawn and instance; scripts and comments are none of it."""
    assert parse_conf(text) == conf


def test_an_override_has_the_last_word(tmp_path: Path) -> None:
    """Its stanzas come behind those of the job; without one the job's alone count."""
    file = tmp_path / "sidekiq.conf"
    file.write_text(SIDEKIQ.replace("respawn\n", "", 1))
    before = read_conf(str(file))
    (tmp_path / "sidekiq.override").write_text("instance $app\nrespawn")

    assert before == Conf(False, "$index")
    assert read_conf(str(file)) == Conf(True, "$app")


def test_files_that_are_not_read(tmp_path: Path) -> None:
    """What is missing, no plain file, or elsewhere: nothing is known, and nobody waits."""
    os.mkfifo(tmp_path / "pipe.conf")
    (tmp_path / "folder.conf").mkdir()
    (tmp_path / "there.conf").write_text("respawn\n")
    (tmp_path / "link.conf").symlink_to("there.conf")
    (tmp_path / "half.conf").write_text("respawn\n")
    (tmp_path / "half.override").symlink_to("nowhere")
    (tmp_path / "odd.conf").write_bytes(b"respawn\n# \xff\n")
    names = ("none", "pipe", "folder", "link", "half", "odd")

    assert [read_conf(f"{tmp_path}/{name}.conf") for name in names] == [*[None] * 5, Conf(True, "")]


@pytest.mark.parametrize(
    ("template", "variables", "name"),
    [
        ("", {}, ""),
        ("$index", {"index": "0"}, "0"),
        ("${app}-$index", {"app": "shop", "index": "2", "more": "x"}, "shop-2"),
        ("worker", {}, "worker"),
        ("$index", {}, None),
        ("${index:-0}", {"index": "1"}, None),
        ("$app $index", {"app": "a", "index": "1"}, None),
        ("$", {}, None),
    ],
)
def test_names_of_instances(template: str, variables: dict[str, str], name: str | None) -> None:
    """Variables in their places; None where Upstart alone knows what comes of it."""
    assert expand(template, variables) == name


@pytest.mark.parametrize(
    ("template", "instance", "variables"),
    [
        ("$index", "0", ("index=0",)),
        ("${index}", "eu/west", ("index=eu/west",)),
        ("$app-$index", "shop-2", ("app=shop", "index=2")),
        ("/dev/$TTY", "/dev/tty1", ("TTY=tty1",)),
        ("${app}_${app}", "a_a", ("app=a",)),
        ("worker", "worker", ()),
        ("$a.b", "x.b", ("a=x",)),
    ],
)
def test_variables_of_instances(template: str, instance: str, variables: tuple[str, ...]) -> None:
    """A name that can be read in one way tells its variables."""
    assert solve(template, instance) == variables


@pytest.mark.parametrize(
    ("template", "instance", "words"),
    [
        ("$app-$index", "a-b-2", "`instance $app-$index` makes the name a-b-2 in several ways"),
        ("$app$index", "12", "`instance $app$index` makes the name 12 in several ways"),
        ("$app-$index", "shop", "`instance $app-$index` makes no name shop"),
        ("$a.b", "xab", "`instance $a.b` makes no name xab"),
        ("${index:-0}", "0", "`instance ${index:-0}` is more than plain text and variables"),
        ("${}", "$", "`instance ${}` is more than plain text and variables"),
        ("a\\b", "ab", "`instance a\\b` is more than plain text and variables"),
    ],
)
def test_names_that_tell_nothing(template: str, instance: str, words: str) -> None:
    """A name that can be read in no way or in several, or a template that cannot: it is said."""
    with pytest.raises(ManagerError) as error:
        solve(template, instance)
    assert str(error.value) == words


VALUES = st.text(alphabet="ab-/", max_size=6)
TEMPLATES = st.lists(st.sampled_from(["${x}", "${y}", "${z}", "-", "a", "b"]), max_size=5).map(
    "".join
)


@given(TEMPLATES, VALUES, VALUES, VALUES)
def test_what_was_expanded_is_solved(template: str, x: str, y: str, z: str) -> None:
    """The variables that are found make the same name, and are the only ones that do."""
    given_ = {"x": x, "y": y, "z": z}
    name = expand(template, given_)
    assert name is not None
    with suppress(ManagerError):
        found = dict(word.split("=", 1) for word in solve(template, name))
        assert found.items() <= given_.items()
        assert expand(template, found) == name


@given(
    st.text()
    | st.lists(st.sampled_from(["instance ", "$x", "respawn\n", "script\n", '"'])).map("".join)
)
def test_a_file_gives_a_conf(text: str) -> None:
    """No text makes anything but a Conf, and no template anything but a name or an error."""
    conf = parse_conf(text)
    name = expand(conf.instance, {"x": "1"})

    assert name is None or conf.instance.replace("$x", "1") == name
    with suppress(ManagerError):
        solve(conf.instance, "1")
