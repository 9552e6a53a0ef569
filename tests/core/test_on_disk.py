"""What lies in the configuration's folder, against what was read of it; the compiler is real."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from inspect_agent.core import aside, on_disk
from inspect_agent.core.loop import Loop
from inspect_agent.core.on_disk import OnDisk
from inspect_agent.folder import Marks, scan
from inspect_agent.lang.bundle import remember
from inspect_agent.lang.compile import Compiled, compile_bundle, compile_folder
from tests.core.looping import PATIENCE_S, looping, run_until
from tests.lang.words import VOCABULARY

Change = Callable[[Path], object]


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop in which nothing may raise."""
    with looping() as running:
        yield running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file of each kind, and with what editors and people leave beside them."""
    folder = tmp_path / "etc"
    (folder / "services.d").mkdir(parents=True)
    for name in ("services.d/a.inq", "services.d/b.inq"):
        (folder / name).write_text(f"check service {name[-5]}\n")
    for name in ("services.d/.a.inq.swp", "services.d/README", "services.d/a.inq~", "x.inq"):
        (folder / name).write_text("nothing that is read")
    (folder / "host.inq").write_text("check host\n")
    (folder / "inspect.conf").write_text(f'set hostname "file:{tmp_path}/name"\n')
    (folder / "inspeqtor.conf").write_text("not read")
    (tmp_path / "name").write_text("web-1\n")
    return folder


class Watch:
    """A folder that is compiled and looked at."""

    def __init__(self, loop: Loop, root: Path) -> None:
        self._loop, self.root = loop, root
        self.on_disk = OnDisk(loop, str(root))

    def compile(self) -> Compiled:
        """As the agent has it read."""
        compiled = compile_folder(str(self.root), VOCABULARY)
        self.on_disk.read(compiled.marks, sound=compiled.config is not None)
        return compiled

    def look(self) -> list[tuple[str, str]]:
        """The files that are not in force, and how."""
        looked: list[bool] = []
        self.on_disk.look(lambda: looked.append(True))
        run_until(self._loop, lambda: looked)
        return [(one.file, one.how) for one in self.on_disk.differences()]


@pytest.fixture
def watch(loop: Loop, root: Path) -> Watch:
    """The folder, read and in force."""
    one = Watch(loop, root)
    assert one.compile().problems == ()
    return one


def test_nothing_has_changed(watch: Watch) -> None:
    """The compiler and the scan see the same files, with the same marks."""
    assert watch.look() == []
    assert not watch.on_disk.is_news()


def replaced(path: Path, text: str) -> None:
    """As editors and configuration management write: a new file in its place."""
    beside = path.with_name(".new")
    beside.write_text(text)
    beside.rename(path)


def added(path: Path) -> None:
    """A file in a folder of its own."""
    path.parent.mkdir()
    path.touch()


def rewritten_in_disguise(root: Path) -> None:
    """The same size, and the time of modification set back: rsync --inplace --times."""
    path = root / "services.d" / "a.inq"
    before = path.stat()
    path.write_text("check service z\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


A = "services.d/a.inq"
CHANGES: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "dropped": (lambda r: (r / "services.d/c.inq").write_text(""), [("services.d/c.inq", "new")]),
    "edited": (lambda r: (r / A).open("a").write("\n"), [(A, "changed")]),
    "replaced": (lambda r: replaced(r / A, "check service a\n"), [(A, "changed")]),
    "disguised": (rewritten_in_disguise, [(A, "changed")]),
    "touched": (lambda r: (r / A).touch(), [(A, "changed")]),
    "removed": (lambda r: (r / A).unlink(), [(A, "gone")]),
    "renamed": (
        lambda r: (r / A).rename(r / "services.d/z.inq"),
        [(A, "gone"), ("services.d/z.inq", "new")],
    ),
    "left alone": (lambda r: (r / A).rename(r / "services.d/a.off"), [(A, "gone")]),
    "another folder": (
        lambda r: added(r / "jobs.d" / "j.inq"),
        [("jobs.d/j.inq", "new")],
    ),
    "no folder": (
        lambda r: (r / "services.d").rename(r / "off"),
        [(A, "gone"), ("services.d/b.inq", "gone")],
    ),
    "another conf": (
        lambda r: (r / "inspect.conf").unlink(),
        [("inspect.conf", "gone"), ("inspeqtor.conf", "new")],
    ),
    "a link to nothing": (
        lambda r: (r / "services.d/c.inq").symlink_to("none"),
        [("services.d/c.inq", "new")],
    ),
    "the machine's rules": (lambda r: (r / "host.inq").unlink(), [("host.inq", "gone")]),
    "no name of UTF-8": (
        lambda r: (r / "services.d" / os.fsdecode(b"\xff.inq")).write_text(""),
        [("services.d/?.inq", "new")],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(watch: Watch, name: str) -> None:
    """Each names its files; once they are read all is well again."""
    change, seen = CHANGES[name]
    change(watch.root)
    assert watch.look() == seen
    assert watch.on_disk.is_news()
    watch.compile()
    watch.look()
    assert not watch.on_disk.is_news()


def test_what_is_not_read_is_no_change(watch: Watch) -> None:
    """What editors leave, and the file of settings that another one hides."""
    (watch.root / "services.d" / ".a.inq.swp").write_text("more")
    (watch.root / "services.d" / "note.txt").touch()
    (watch.root / "inspeqtor.conf").write_text("set nonsense 1")
    (watch.root / "jobs.d.off").mkdir()
    assert watch.look() == []
    assert not watch.on_disk.is_news()


def test_a_value_in_a_file_of_its_own(watch: Watch, tmp_path: Path) -> None:
    """It belongs to the configuration wherever it lies; so does one that is still missing."""
    value = tmp_path / "name"
    value.write_text("web-2\n")
    assert watch.look() == [(str(value), "changed")]
    value.unlink()
    assert watch.look() == [(str(value), "gone")]
    assert watch.compile().config is None
    watch.look()
    assert not watch.on_disk.is_news()
    value.write_text("web-3\n")
    watch.look()
    assert watch.on_disk.is_news()
    watch.compile()
    assert watch.look() == []


def test_what_is_rejected_stays_not_loaded(watch: Watch) -> None:
    """It is no news any more, until it is mended: then it is."""
    broken = watch.root / A
    broken.write_text("check nonsense\n")
    watch.compile()
    assert watch.look() == [(A, "changed")]
    assert not watch.on_disk.is_news()
    broken.write_text("check service a\n")
    assert watch.look() == [(A, "changed")]
    assert watch.on_disk.is_news()
    watch.compile()
    assert watch.look() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="what belongs to whom matters to root's agent")
@pytest.mark.parametrize("name", [".", "services.d", A])
def test_rights_that_are_mended_are_news(watch: Watch, name: str) -> None:
    """What others may write is rejected; chmod alone mends it."""
    path = watch.root / name
    mode = path.stat().st_mode
    path.chmod(mode | 0o002)
    watch.look()
    assert watch.on_disk.is_news()
    assert watch.compile().config is None
    watch.look()
    assert not watch.on_disk.is_news()
    path.chmod(mode)
    watch.look()
    assert watch.on_disk.is_news()


def test_a_compiler_that_does_not_say_what_it_read(watch: Watch) -> None:
    """As it breaks: what lay there when it was last looked at is not tried again by itself."""
    (watch.root / A).unlink()
    assert watch.look() == [(A, "gone")]
    watch.on_disk.read(None, sound=False)
    assert watch.look() == [(A, "gone")]
    assert not watch.on_disk.is_news()


def test_the_last_good_configuration(loop: Loop, root: Path, tmp_path: Path) -> None:
    """After a start on it: what says something else than it does is not loaded, and no more."""
    bundle = tmp_path / "last-good.json"
    remember(compile_folder(str(root), VOCABULARY).texts, str(bundle))
    (root / A).write_text("check nonsense\n")
    (root / "services.d" / "b.inq").unlink()
    (root / "services.d" / "c.inq").write_text("check service c\n")
    (root / "host.inq").touch()
    (tmp_path / "name").write_text("web-2\n")
    watch = Watch(loop, root)
    assert watch.compile().config is None
    last_good = compile_bundle(str(bundle), VOCABULARY, str(root))
    assert last_good.config is not None
    watch.on_disk.fall_back(last_good.marks)
    assert watch.look() == [
        (str(tmp_path / "name"), "changed"),
        (A, "changed"),
        ("services.d/b.inq", "gone"),
        ("services.d/c.inq", "new"),
    ]
    assert not watch.on_disk.is_news()


def test_a_folder_that_does_not_answer(
    loop: Loop, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is known, so nothing is said to have changed; until it answers again."""
    answers = threading.Event()

    def hang(root: str, elsewhere: Iterable[str]) -> Marks:
        assert answers.wait(PATIENCE_S)
        return scan(root, elsewhere)

    (watch.root / A).unlink()
    monkeypatch.setattr(on_disk, "scan", hang)
    monkeypatch.setattr(aside, "PATIENCE_S", 0.01)
    assert watch.look() == []
    assert not watch.on_disk.answers()
    assert not watch.on_disk.is_news()
    monkeypatch.setattr(aside, "PATIENCE_S", PATIENCE_S)
    answers.set()
    while not watch.on_disk.answers():
        loop.turn()
        watch.look()
    assert watch.look() == [(A, "gone")]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It has the mark of what is not there, for the compiler, too."""
    root = str(tmp_path / "none")
    assert scan(root, ()) == {"./": ""} == compile_folder(root, VOCABULARY).marks
