"""The last good configuration on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from inspect_agent.lang import bundle
from inspect_agent.lang.compile import compile_bundle, compile_folder
from inspect_agent.lang.files import Text, Texts
from inspect_agent.lang.problems import render
from tests.lang.words import VOCABULARY

TEXTS = Texts(
    Text("inspect.conf", 'set hostname "ü"\n'),
    (Text("host.inq", "check host\n"), Text("services.d/a.inq", "check service a\n")),
    (("/etc/secret", "pa ss"),),
)


def test_what_is_remembered_is_recalled(tmp_path: Path) -> None:
    """All texts come back, with or without a conf, also over an older bundle."""
    path = tmp_path / "state" / "last-good.json"
    for texts in (TEXTS, TEXTS._replace(conf=None), Texts(None, ())):
        bundle.remember(texts, str(path))
        assert bundle.recall(str(path)) == texts
    assert [item.name for item in path.parent.iterdir()] == ["last-good.json"]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """It holds secrets: its mode is 0600 whatever was there before."""
    path = tmp_path / "last-good.json"
    (tmp_path / "last-good.json.new").write_text("left over")
    (tmp_path / "last-good.json.new").chmod(0o666)
    bundle.remember(TEXTS, str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_one(tmp_path: Path) -> None:
    """Where the new one cannot be written, the old one stays whole."""
    path = tmp_path / "last-good.json"
    bundle.remember(TEXTS, str(path))
    (tmp_path / "last-good.json.new").mkdir()
    with pytest.raises(OSError, match="last-good"):
        bundle.remember(Texts(None, ()), str(path))
    assert bundle.recall(str(path)) == TEXTS


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"null", b"[]", b"{}", b"\xff", b'{"version": 2}', b'{"version": 1}'),
        b'{"version":1,"conf":null,"inq":[["a"]],"values":[]}',
        b'{"version":1,"conf":["a",5],"inq":[],"values":[]}',
        b'{"version":1,"conf":null,"inq":5,"values":[]}',
        b"[" * 100_000,
    ],
)
def test_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    """A file that is no bundle is a problem with its path."""
    path = tmp_path / "last-good.json"
    path.write_bytes(content)
    compiled = compile_bundle(str(path), VOCABULARY)
    assert compiled.config is None
    (problem,) = compiled.problems
    assert render(problem).startswith(f"{path}: nothing is remembered: ")


def test_no_bundle(tmp_path: Path) -> None:
    """So is one that is not there."""
    compiled = compile_bundle(str(tmp_path / "gone"), VOCABULARY)
    assert [problem.message for problem in compiled.problems] == [
        f"nothing is remembered: [Errno 2] No such file or directory: '{tmp_path}/gone'"
    ]


def test_a_bundle_compiles_to_what_the_folder_did(tmp_path: Path) -> None:
    """The values that lay in files are remembered with it, so nothing else is read again."""
    root, path = tmp_path / "root", tmp_path / "last-good.json"
    (root / "services.d").mkdir(parents=True)
    (root / "services.d" / "a.inq").write_text("check service a with owner ops\n")
    (root / "inspect.conf").write_text(
        f'send alerts to ops via apprise with url "file:{tmp_path}/url"\n'
        f'set hostname "file:{tmp_path}/name"\n'
    )
    (root / "inspect.conf").chmod(0o600)
    (tmp_path / "url").write_text("json://geheim\n")
    (tmp_path / "name").write_text("web1\n")
    before = compile_folder(str(root), VOCABULARY)
    bundle.remember(before.texts, str(path))
    (tmp_path / "url").unlink()
    (tmp_path / "name").unlink()
    after = compile_bundle(str(path), VOCABULARY)
    assert before.config is not None
    assert after.config == before.config
    assert after.settings.hostname == "web1"
    assert after.config.destinations[0].params == (("url", "json://geheim"),)
