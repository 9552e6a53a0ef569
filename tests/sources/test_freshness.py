"""Releases and the processes in them; programs and libraries that are replaced under processes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import SourceError
from inspect_agent.sources import freshness
from inspect_agent.sources.freshness import Code, Release, Verdict, deleted
from inspect_agent.sources.mounts import Mount
from tests.sources.living import gone, living, python, zombie

SHELL = Path("/bin/sh").resolve()
WAITS = "echo ready; read line"
LIBRARY = Path(str(getattr(find_spec("_ctypes"), "origin", None)))
LOADS = """
import ctypes, mmap, sys
loaded = ctypes.CDLL({library!r})
file = open({data!r}, "rb")
mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
print("ready", flush=True)
sys.stdin.read()
"""
MEMORY = """
import os
file = os.memfd_create("tool", 0)
os.write(file, open({program!r}, "rb").read())
os.execve(file, ["tool", "-c", {waits!r}], {{}})
"""
FRESH = Verdict(False)


class Told:
    """Mounts that are as a test says."""

    def __init__(self, *mounts: Mount) -> None:
        self._mounts = {mount.point: mount for mount in mounts}

    def current(self) -> Mapping[str, Mount]:
        """See Mounts."""
        return self._mounts


@pytest.fixture
def code() -> Code:
    """What this machine's processes run."""
    return Code()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with two releases, the first of which is the current one."""
    app = tmp_path.resolve() / "app"
    for number in ("1", "2"):
        (app / "releases" / number / "web").mkdir(parents=True)
    flip(app, "1")
    return app


@pytest.fixture
def lasting() -> Iterator[Path]:
    """A folder for programs: what lies below /tmp counts as deleted on purpose."""
    places = (Path(__file__).parent, Path.home(), Path("/opt"))
    place = next(place for place in places if not place.is_relative_to("/tmp"))
    with tempfile.TemporaryDirectory(dir=place, prefix=".programs-") as folder:
        yield Path(folder)


def flip(app: Path, number: str) -> None:
    """As a deploy does: the symlink is another one from one moment to the next."""
    (app / "next").symlink_to(f"releases/{number}")
    (app / "next").rename(app / "current")


def working(folder: Path) -> str:
    """A program that works in a folder, and says so."""
    return (
        f"import os, sys; os.chdir({str(folder)!r}); print('ready', flush=True); sys.stdin.read()"
    )


def replace(path: Path, by: Path) -> None:
    """As a package manager does: another file is renamed over it."""
    fresh = path.with_name("fresh")
    shutil.copy2(by, fresh)
    fresh.rename(path)


# releases


def test_where_a_release_leads(code: Code, app: Path) -> None:
    """To a folder, by as many links as there are, and to another one once the link is."""
    (app / "shop").symlink_to("./../app/current/web")
    first = code.release(str(app / "shop"))
    flip(app, "2")
    second = code.release(str(app / "shop"))

    assert [first.folder, second.folder] == [f"{app}/releases/{number}/web" for number in "12"]
    assert code.release("/") == Release("/", os.stat("/").st_dev, os.stat("/").st_ino)


def test_a_folder_that_was_made_anew_is_another(code: Code, app: Path) -> None:
    """Although its name is the same."""
    before = code.release(str(app / "current"))
    (app / "releases" / "1").rename(app / "releases" / "0")
    (app / "releases" / "1").mkdir()
    after = code.release(str(app / "current"))

    assert before.folder == after.folder
    assert before != after


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing", "{app}/nothing: No such file or directory"),
        ("dangling", "{app}/dangling: {app}/releases/3: No such file or directory"),
        ("circle", "{app}/circle: Too many levels of symbolic links"),
        ("file", "{app}/file leads to {app}/file, which is no folder"),
        ("file/below", "{app}/file/below: Not a directory"),
        ("a\0b", "'{app}/a\\x00b' is no path: embedded null byte"),
    ],
)
def test_what_leads_to_no_release(code: Code, app: Path, name: str, says: str) -> None:
    """Each is told as what it is."""
    (app / "dangling").symlink_to("releases/3")
    (app / "circle").symlink_to("circle")
    (app / "file").touch()
    with pytest.raises(SourceError) as raised:
        code.release(f"{app}/{name}")

    assert str(raised.value) == says.format(app=app)


@pytest.mark.parametrize("name", ["current", "releases/1", "shared", "current/../../shared/web"])
def test_what_could_hang_is_not_touched(app: Path, name: str) -> None:
    """A network file system on the way, also behind a link, is told and not looked into."""
    (app / "shared").mkdir()
    remote = [Mount(f"{app}/{one}", "nfs4", "nas:/app", "0:44") for one in ("releases/1", "shared")]
    with pytest.raises(SourceError, match=r"/(releases/1|shared) is nfs4, which may hang$"):
        Code(Told(*remote)).release(f"{app}/{name}")


# stale


@pytest.mark.parametrize(
    ("folder", "holds"),
    [
        ("releases/1", False),
        ("current/web", False),
        ("releases/2", True),
        ("releases/10", True),
        ("releases", True),
    ],
)
def test_whether_a_process_works_in_the_release(
    code: Code, app: Path, folder: str, holds: bool
) -> None:
    """It does in the folder itself or anywhere below it; where else it works is told."""
    (app / "releases" / "10").mkdir()
    release = code.release(f"{app}/current")
    with python(working(app / folder)) as process:
        why = f"process {process.pid} works in {app}/{folder}, the release is {app}/releases/1"
        assert code.stale(process.pid, release) == (Verdict(True, why) if holds else FRESH)


def test_a_release_is_current_until_the_next_one(code: Code, app: Path) -> None:
    """The process is the same, and the link is another one."""
    with python(working(app / "current")) as process:
        before = code.stale(process.pid, code.release(f"{app}/current"))
        flip(app, "2")
        after = code.stale(process.pid, code.release(f"{app}/current"))

    assert (before.holds, after.holds) == (False, True)


def test_a_release_that_was_removed(code: Code, app: Path) -> None:
    """Is no current one, though there is a folder of its name again."""
    with python(working(app / "current" / "web")) as process:
        shutil.rmtree(app / "releases" / "1")
        (app / "releases" / "1" / "web").mkdir(parents=True)
        found = code.stale(process.pid, code.release(f"{app}/current"))

    where = f"{app}/releases/1/web (deleted)"
    why = f"process {process.pid} works in {where}, the release is {app}/releases/1"
    assert found == Verdict(True, why)


def test_a_folder_that_is_called_deleted(code: Code, app: Path) -> None:
    """What the kernel writes behind the name of what was removed may be a name."""
    (app / "releases" / "1" / "old (deleted)").mkdir()
    with python(working(app / "current" / "old (deleted)")) as process:
        assert code.stale(process.pid, code.release(f"{app}/current")) == FRESH


def test_the_root_as_a_release(code: Code) -> None:
    """Everything is in it."""
    with python(working(Path("/usr"))) as process:
        assert code.stale(process.pid, code.release("/")) == FRESH


# outdated


def test_a_program_that_is_replaced(code: Code, lasting: Path) -> None:
    """As it is by an upgrade; what started since runs the new one."""
    program = lasting / "a program"
    shutil.copy2(SHELL, program)
    with living(str(program), "-c", WAITS) as old:
        before = code.outdated(old.pid)
        replace(program, SHELL)
        with living(str(program), "-c", WAITS) as new:
            found = [code.outdated(process.pid) for process in (old, new)]

    why = f"process {old.pid} runs {program}, which was replaced or removed since"
    assert before == FRESH
    assert found == [Verdict(True, why), FRESH]


def test_a_program_that_is_removed(code: Code, lasting: Path) -> None:
    """An upgrade may bring it under another name."""
    program = lasting / "tool-1.0"
    shutil.copy2(SHELL, program)
    with living(str(program), "-c", WAITS) as process:
        program.unlink()
        assert code.outdated(process.pid).holds is True


def test_a_library_that_is_replaced(code: Code, lasting: Path) -> None:
    """It is named; what is mapped as data may be replaced as one likes."""
    library, data = lasting / "lib two\nlines.so", lasting / "data"
    shutil.copy2(LIBRARY, library)
    shutil.copy2(LIBRARY, data)
    with python(LOADS.format(library=str(library), data=str(data))) as process:
        replace(data, LIBRARY)
        before = code.outdated(process.pid)
        replace(library, LIBRARY)
        after = code.outdated(process.pid)

    why = f"process {process.pid} uses {library}, which was replaced or removed since"
    assert (before, after) == (FRESH, Verdict(True, why))


def test_a_program_that_is_called_deleted(code: Code, lasting: Path) -> None:
    """It is not until it is."""
    program = lasting / "x (deleted)"
    shutil.copy2(SHELL, program)
    with living(str(program), "-c", WAITS) as process:
        before = code.outdated(process.pid)
        program.unlink()
        after = code.outdated(process.pid)

    assert before == FRESH
    assert after.why.startswith(f"process {process.pid} runs {program}, which was")


def test_a_program_without_a_file(code: Code) -> None:
    """Nobody can replace what never had a name."""
    with python(MEMORY.format(program=str(SHELL), waits=WAITS)) as process:
        assert os.readlink(f"/proc/{process.pid}/exe") == "/memfd:tool (deleted)"
        assert code.outdated(process.pid) == FRESH


@pytest.mark.parametrize(
    "path",
    [
        *("/memfd:jit-cache", "/SYSV00000000", "/[aio]", "/anon_hugepage", "/dev/zero"),
        *("/dev/shm/x", "/tmp/.jna/x.so", "/var/tmp/a b", "/run/user/0/x", "/var/run/x"),
        *("/root/ffiAb3dE9", "/home/x/jna4711.tmp", "/home/x/orcexec.Xy12Z", "/srv/#262146"),
        "/tmp/two\nlines",
    ],
)
def test_what_is_deleted_on_purpose(code: Code, path: str) -> None:
    """No one has replaced it."""
    assert not code._is_replaced(f"{path} (deleted)")


@pytest.mark.parametrize(
    "path",
    [
        *("/usr/bin/ruby3.1", "/usr/lib/x86_64-linux-gnu/libssl.so.3", "/opt/a b/c", "/init"),
        *("/srv/tmp/x", "/devices/x", "/usr/lib/libffi.so.8", "/opt/jna.tmp", "/srv/#a", "/x\ny"),
    ],
)
def test_what_is_not(code: Code, path: str) -> None:
    """Names that look a little like it."""
    assert code._is_replaced(f"{path} (deleted)")
    assert not code._is_replaced(path)


MAPS = b"""\
55d4c7d6e000-55d4c7d70000 r--p 00000000 fe:00 1189 /usr/bin/gone data (deleted)
55d4c7d70000-55d4c7d75000 r-xp 00002000 fe:00 1189 /usr/bin/gone (deleted)
55d4c7d75000-55d4c7d78000 r-xp 00007000 fe:00 1190 /usr/bin/there
7f0c91a28000-7f0c91b7d000 r-xs 00026000 00:01 1191                       /a  b\\012c (deleted)
7f0c91b7e000-7f0c91b7f000 rwxp 00000000 00:00 0\x20
7ffd2a5f2000-7ffd2a5f4000 r-xp 00000000 00:00 0                          [vdso]
"""


def test_what_is_mapped_as_code_and_deleted() -> None:
    """In the order of the addresses, by the names that the files had."""
    assert list(deleted(MAPS)) == ["/usr/bin/gone (deleted)", "/a  b\nc (deleted)"]


@given(st.lists(st.sampled_from([*MAPS.split(b" "), b" (deleted)\n", b"\xff", b"\n", b"x"])))
def test_garbage_is_no_mapping(parts: list[bytes]) -> None:
    """Whatever the kernel may write one day, it makes no trouble."""
    found = list(deleted(b" ".join(parts)))
    assert all(path.startswith("/") and path.endswith(" (deleted)") for path in found)


def test_too_much_to_look_through(
    code: Code, lasting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is not known, unless what was looked through is enough."""
    monkeypatch.setattr(freshness, "MOST_MAPS_BYTES", 1500)
    program = lasting / "tool"
    shutil.copy2(SHELL, program)
    with living(str(program), "-c", WAITS) as process:
        before = code.outdated(process.pid)
        program.unlink()
        after = code.outdated(process.pid)

    assert before == Verdict(None, f"process {process.pid} has mapped too much to look through")
    assert after.holds is True


# what cannot be known


def stale(code: Code, pid: int) -> Verdict:
    """Whether a process is stale that is in no release."""
    return code.stale(pid, code.release("/usr"))


@pytest.mark.parametrize("asked", [stale, Code.outdated])
def test_a_process_that_is_gone(code: Code, asked: Callable[[Code, int], Verdict]) -> None:
    """Or waits for its parent to take notice: nothing is known of what it ran."""
    ended = gone()
    why = "process {} cannot be looked at: No such file or directory"
    assert asked(code, ended) == Verdict(None, why.format(ended))
    with zombie() as pid:
        assert asked(code, pid) == Verdict(None, why.format(pid))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize("asked", [stale, Code.outdated])
def test_a_process_of_somebody_else(code: Code, asked: Callable[[Code, int], Verdict]) -> None:
    """An agent that is not root does not see it, and says so."""
    with living("sh", "-c", WAITS) as process:
        os.setresuid(65534, 65534, 0)
        try:
            found = asked(code, process.pid)
        finally:
            os.setresuid(0, 0, 0)
    why = f"process {process.pid} cannot be looked at: Permission denied"
    assert found == Verdict(None, why)


ROOT = """
cd "$1"
mkdir app usr lib lib64 bin old
mount --bind . .
for folder in usr lib lib64 bin; do mount --rbind /$folder $folder; done
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("pivots", [True, False])
def test_a_process_in_a_container(code: Code, app: Path, tmp_path: Path, pivots: bool) -> None:
    """Its paths are those of a root of its own, and say nothing here; in a mere chroot they do."""
    root = tmp_path.resolve() / "root"
    root.mkdir()
    enter = 'cd "$1"; pivot_root . old' if pivots else 'cd "$1"'
    script = f"{ROOT}{enter}; exec chroot . /bin/sh -c 'cd /app; {WAITS}'"
    with living("unshare", "--mount", "sh", "-ec", script, "sh", str(root)) as process:
        found = code.stale(process.pid, code.release(f"{app}/current"))

    if pivots:
        why = f"process {process.pid} has a root directory of its own"
        assert found == Verdict(None, why)
    else:
        why = f"process {process.pid} works in {root}/app, the release is {app}/releases/1"
        assert found == Verdict(True, why)
