"""inspectctl fmt: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from inspect_agent.cli import ctl
from inspect_agent.lang import files
from inspect_agent.lang import format as format_

INSPECTCTL = str(Path(sys.executable).with_name("inspectctl"))
ROOT = Path(__file__).parent.parent.parent
Captured = pytest.CaptureFixture[str]
Ended = subprocess.CompletedProcess[bytes]

MESSY = "check   host\n\n\nif swap>5% then alert # c\n"
NEAT = "check host\n\n  if swap > 5% then alert  # c\n"
BAD = "check host\n  if swap > then alert\n"
SAID = (
    ":2:13: unexpected then\n"
    "      if swap > then alert\n"
    "                ^\n"
    "    an amount may stand here\n"
)
AS_NOBODY = """
import encodings.utf_8_sig, gettext, locale, os, pwd, shutil, sys  # what is imported late
from inspect_agent.cli import ctl, fmt
from inspect_agent.lang.parse import grammar
from inspect_agent.lang.vocabulary import installed
grammar("inq"), installed()
os.setgroups([])
os.setuid(pwd.getpwnam("nobody").pw_uid)
sys.exit(ctl.main())
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this")


def fmt(*arguments: object, given: bytes = b"", **environment: str) -> Ended:
    """inspectctl as a process of its own."""
    return subprocess.run(
        [INSPECTCTL, "fmt", *map(str, arguments)],
        input=given,
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )


def write(path: Path, content: str | bytes = MESSY, mode: int = 0o600) -> Path:
    """A file in a folder that is made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def below(folder: Path) -> dict[str, bytes]:
    """The files of a folder, dot files too, with their content."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_files_are_rewritten_where_they_change(tmp_path: Path, capfd: Captured) -> None:
    """Those that change are named; the others are not even touched. Exit 0."""
    messy, neat = write(tmp_path / "a.inq"), write(tmp_path / "b.inq", NEAT)
    before = neat.stat()
    assert ctl.main(["fmt", str(messy), str(neat)]) == 0
    assert capfd.readouterr() == (f"{messy}\n", "")
    assert below(tmp_path) == {"a.inq": NEAT.encode(), "b.inq": NEAT.encode()}
    after = neat.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert ctl.main(["fmt", str(messy), str(neat)]) == 0
    assert capfd.readouterr() == ("", "")


def test_check(tmp_path: Path, capfd: Captured) -> None:
    """Names what would change and writes nothing; exit 1 if there is any, else 0."""
    messy, neat = write(tmp_path / "a.inq"), write(tmp_path / "b.inq", NEAT)
    assert ctl.main(["fmt", "--check", str(neat), str(messy)]) == 1
    assert capfd.readouterr() == (f"{messy}\n", "")
    assert messy.read_text() == MESSY
    assert ctl.main(["fmt", "--check", str(neat)]) == 0
    assert capfd.readouterr() == ("", "")


def test_diff(tmp_path: Path, capfd: Captured) -> None:
    """Shows what would change and writes nothing; exit 1 if there is anything, else 0."""
    messy, neat = write(tmp_path / "a.inq"), write(tmp_path / "b.inq", NEAT)
    assert ctl.main(["fmt", "--diff", str(neat), str(messy)]) == 1
    assert capfd.readouterr() == (
        f"--- {messy}\n+++ {messy}\n@@ -1,4 +1,3 @@\n"
        "-check   host\n+check host\n \n-\n"
        "-if swap>5% then alert # c\n+  if swap > 5% then alert  # c\n",
        "",
    )
    assert messy.read_text() == MESSY
    assert ctl.main(["fmt", "--diff", str(neat)]) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "made"),
    [
        (b"\xef\xbb\xbfcheck host\n", b"check host\n"),
        (b"check host\r\n  if swap > 5% then alert\r", b"check host\n  if swap > 5% then alert\n"),
        (b"check host", b"check host\n"),
        (b"\tcheck host\n", b"check host\n"),
        (b'check service "a\r\n"\n', b'check service "a\n"\n'),
        (b" \n", b""),
        (b"", b""),
    ],
)
def test_bytes(tmp_path: Path, content: bytes, made: bytes) -> None:
    """LF, a final line break and no byte order mark; an empty file stays empty."""
    path = write(tmp_path / "a.inq", content)
    assert ctl.main(["fmt", "--check", str(path)]) == (content != made)
    assert ctl.main(["fmt", "--diff", str(path)]) == (content != made)
    assert ctl.main(["fmt", str(path)]) == 0
    assert path.read_bytes() == made
    assert ctl.main(["fmt", "--check", str(path)]) == 0


def test_standard_input() -> None:
    """It goes to standard output, also where nothing changes; which kind it is, it says itself."""
    for given, made in (
        (MESSY, NEAT),
        (NEAT, NEAT),
        ("", ""),
        ("# only this", "# only this\n"),
        ("\ufeff# a\n\nset  a b<c", "# a\n\nset a b<c\n"),
        ("send alerts  via log", "send alerts via log\n"),
    ):
        ended = fmt("-", given=given.encode())
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, made.encode(), b"")


def test_standard_input_is_only_looked_at() -> None:
    """--check and --diff say of it what they say of a file."""
    ended = fmt("--check", "-", given=MESSY.encode())
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"standard input\n", b"")
    ended = fmt("--diff", "-", given=b"check  host")
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert ended.stdout == (
        b"--- standard input\n+++ standard input\n@@ -1,1 +1,1 @@\n"
        b"-check  host\n\\ No newline at end of file\n+check host\n"
    )
    for option in ("--check", "--diff"):
        ended = fmt(option, "-", given=NEAT.encode())
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (BAD.encode(), f"standard input{SAID}"),
        (b"\xff", "standard input:1:1: not UTF-8\n    save it as UTF-8\n"),
        (b"#" * (files.MOST_BYTES + 1), "standard input: too large: more than 1024 KiB\n"),
    ],
)
def test_standard_input_that_is_no_file_of_ours(given: bytes, said: str) -> None:
    """Nothing is written; the problem is told, exit 1."""
    ended = fmt("-", given=given)
    assert (ended.returncode, ended.stdout, ended.stderr.decode()) == (1, b"", said)


def test_standard_input_that_cannot_be_read() -> None:
    """The problem is told, exit 1."""
    command = ["/bin/sh", "-c", f"'{INSPECTCTL}' fmt - <&-"]
    ended = subprocess.run(command, capture_output=True, check=False)
    said = b"standard input: cannot be read: bad file descriptor\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"", said)


def test_folders(tmp_path: Path, capfd: Captured) -> None:
    """All of a configuration below a folder, in the order of the names; nothing else."""
    ours = (
        *("a/inspeqtor.conf", "etc/host.inq", "etc/inspect.conf", "etc/jobs.d/j.inq"),
        *("etc/services.d/a.inq", "etc/services.d/b.inq"),
    )
    for name in (*ours, "x.inq"):
        write(tmp_path / name, "set  a b" if name.endswith(".conf") else MESSY)
    others = ("etc/.git/a.inq", "etc/.a.inq", "etc/a.inq~", "etc/my.conf", "etc/README")
    for name in others:
        write(tmp_path / name, "left  alone")
    (tmp_path / "etc" / "round").symlink_to(tmp_path)
    (tmp_path / "etc" / "self").symlink_to("self")
    names = [f"{tmp_path}/{name}" for name in ("x.inq", *ours)]
    assert ctl.main(["fmt", "--check", str(tmp_path)]) == 1
    assert sorted(capfd.readouterr().out.splitlines()) == sorted(names)
    assert ctl.main(["fmt", str(tmp_path)]) == 0
    assert capfd.readouterr() == ("".join(f"{name}\n" for name in names), "")
    made = below(tmp_path)
    assert {name: made.pop(name) for name in others} == dict.fromkeys(others, b"left  alone")
    neat = {name: b"set a b\n" if name.endswith(".conf") else NEAT.encode() for name in made}
    assert made == neat


def test_a_folder_behind_a_link(tmp_path: Path, capfd: Captured) -> None:
    """It is laid out as well, once; the agent reads it, too."""
    path = write(tmp_path / "shared" / "a.inq")
    (tmp_path / "etc").mkdir()
    for name in ("jobs.d", "services.d"):
        (tmp_path / "etc" / name).symlink_to(tmp_path / "shared")
    assert ctl.main(["fmt", str(tmp_path / "etc")]) == 0
    assert capfd.readouterr() == (f"{tmp_path}/etc/jobs.d/a.inq\n", "")
    assert path.read_text() == NEAT


def test_a_deep_folder(tmp_path: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """How deep it is does not matter."""
    monkeypatch.chdir(tmp_path)
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    write(Path("a.inq"))
    os.chdir(tmp_path)
    try:
        assert ctl.main(["fmt", "."]) == 0
    finally:
        subprocess.run(["rm", "-r", "d"], check=True)  # Python 3.11 would recurse
    assert capfd.readouterr() == ("./" + "d/" * 1500 + "a.inq\n", "")


def test_a_mistake(tmp_path: Path, capfd: Captured) -> None:
    """It is told as the compiler tells it; the file stays, the others are done. Exit 1."""
    bad, conf = write(tmp_path / "a.inq", BAD), write(tmp_path / "inspect.conf", "set  a\n")
    messy = write(tmp_path / "b.inq")
    assert ctl.main(["fmt", str(tmp_path)]) == 1
    assert capfd.readouterr() == (
        f"{messy}\n",
        f"{bad}{SAID}{conf}:1:7: a value is missing here\n    set  a\n          ^\n",
    )
    assert below(tmp_path) == {
        "a.inq": BAD.encode(),
        "b.inq": NEAT.encode(),
        "inspect.conf": b"set  a\n",
    }
    for option in ("--check", "--diff"):
        assert ctl.main(["fmt", option, str(bad), str(messy)]) == 1
        assert capfd.readouterr() == ("", f"{bad}{SAID}")


def test_secrets_are_not_shown(tmp_path: Path, capfd: Captured) -> None:
    """A mistake in a line with a password does not tell it."""
    text = "send alerts via email with password my geheim\n"
    assert ctl.main(["fmt", str(write(tmp_path / "inspect.conf", text))]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"{tmp_path}/inspect.conf:1:40: unexpected (not shown)\n")
    assert "geheim" not in err


def test_what_is_no_file(tmp_path: Path, capfd: Captured) -> None:
    """Each has its problem, and the others are done. Exit 1."""
    (tmp_path / "a.inq").mkdir()
    (tmp_path / "b.inq").symlink_to("gone")
    (tmp_path / "c.inq").symlink_to("c.inq")
    os.mkfifo(tmp_path / "d.inq")
    (tmp_path / "e.inq").symlink_to("/proc/self/mem")  # reading its first byte is an error
    write(tmp_path / "f.inq", b"check host\n\xe4")
    write(tmp_path / "g.inq", b"check\0host")
    write(tmp_path / "h.inq", b"#" * (files.MOST_BYTES + 1))
    write(tmp_path / "i.inq")
    said = (
        "a.inq: a folder, not a file",
        "b.inq: a link to gone, which is missing",
        "c.inq: a loop of links",
        "d.inq: not a regular file",
        "e.inq: cannot be read: input/output error",
        "f.inq:2:1: not UTF-8\n    save it as UTF-8",
        "g.inq:1:6: a binary file: it holds the control character U+0000",
        "h.inq: too large: more than 1024 KiB",
    )
    told = "".join(f"{tmp_path}/{line}\n" for line in said)
    assert ctl.main(["fmt", str(tmp_path)]) == 1
    assert capfd.readouterr() == (f"{tmp_path}/i.inq\n", told)
    assert ctl.main(["fmt", *map(str, sorted(tmp_path.iterdir()))]) == 1
    assert capfd.readouterr() == ("", told)


def test_names(tmp_path: Path, capfd: Captured) -> None:
    """A name that names nothing, or could harm a terminal, is a problem like others."""
    names = [str(tmp_path / "gone.inq"), f"{tmp_path}/x.inq/", "", f"{tmp_path}/\0", "a" * 5000]
    (tmp_path / "x.inq").mkdir()
    assert ctl.main(["fmt", *names]) == 1
    assert capfd.readouterr() == (
        "",
        f"{tmp_path}/gone.inq: no such file\n{tmp_path}/x.inq/: a folder, not a file\n"
        f": no such file\n{tmp_path}/\N{REPLACEMENT CHARACTER}: not a path\n"
        f"{'a' * 4096}…: cannot be read: file name too long\n",
    )
    strange = write(tmp_path / os.fsdecode(b"\x1b[31m\n\xff.inq"))
    assert ctl.main(["fmt", str(strange)]) == 0
    assert capfd.readouterr() == (f"{tmp_path}/�[31m��.inq\n", "")
    assert strange.read_text() == NEAT


def test_a_link_is_followed(tmp_path: Path, capfd: Captured) -> None:
    """The link stays one, and what it leads to is replaced."""
    target, link = write(tmp_path / "shared" / "rules"), tmp_path / "etc" / "a.inq"
    link.parent.mkdir()
    link.symlink_to("../shared/rules")
    assert ctl.main(["fmt", str(link)]) == 0
    assert capfd.readouterr() == (f"{link}\n", "")
    assert (os.readlink(link), target.is_symlink()) == ("../shared/rules", False)
    assert below(tmp_path) == {"etc/a.inq": NEAT.encode(), "shared/rules": NEAT.encode()}


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    """Also one that its group may write, whatever the umask."""
    path = write(tmp_path / "a.inq", mode=0o664)
    os.utime(path, (1, 1))
    assert ctl.main(["fmt", str(path)]) == 0
    assert path.stat().st_mode & 0o7777 == 0o664
    assert path.stat().st_mtime > 1


@needs_root
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    """Root lays out other people's files and they stay theirs, with mode and group."""
    path = write(tmp_path / "a.inq", mode=0o640)
    os.chown(path, 1234, 5678)
    assert ctl.main(["fmt", str(path)]) == 0
    status = path.stat()
    assert path.read_text() == NEAT
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 5678, 0o640)


@needs_root
@pytest.mark.parametrize(
    ("owner", "mode", "folder", "said"),
    [
        (0, 0o600, 0o777, "cannot be read: permission denied"),
        (0, 0o644, 0o777, "cannot be written: permission denied"),
        (65534, 0o444, 0o777, "cannot be written: permission denied"),
        (65534, 0o644, 0o755, "cannot be written: permission denied"),
        (0, 0o666, 0o777, "cannot be written: operation not permitted"),
    ],
)
def test_what_one_may_not_do(owner: int, mode: int, folder: int, said: str) -> None:
    """No reading, no writing, no new file beside it, no giving away: the file stays as it was."""
    with TemporaryDirectory() as name:  # pytest's own is closed to others whenever it starts
        path = write(Path(name) / "a.inq", mode=mode)
        os.chown(path, owner, owner)
        path.parent.chmod(folder)
        argv = [sys.executable, "-c", AS_NOBODY, "fmt", str(path)]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"{path}: {said}\n")
        assert below(path.parent) == {"a.inq": MESSY.encode()}
        assert path.stat().st_uid == owner


@needs_root
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare of util-linux")
def test_a_full_disk(tmp_path: Path) -> None:
    """The file on it stays whole, nothing is left behind, and the others are done."""
    other, disk = write(tmp_path / "other.inq"), tmp_path / "disk"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o size=4k none "$1" && cp "$2" "$1/a.inq" || exit 99\n'
        '"$3" fmt "$1/a.inq" "$2"; echo "$?"; ls -A "$1"; cat "$1/a.inq"'
    )
    argv = ["unshare", "--mount", "sh", "-c", script, "sh", str(disk), str(other), INSPECTCTL]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ended.returncode == 99 or "unshare failed" in ended.stderr:
        pytest.skip(f"no tmpfs here: {ended.stderr}")
    assert ended.stderr == f"{disk}/a.inq: cannot be written: no space left on device\n"
    assert ended.stdout == f"{other}\n1\na.inq\n{MESSY}"
    assert other.read_text() == NEAT


def test_an_interruption(tmp_path: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a file is written leaves the old one, and nothing else."""

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    path = write(tmp_path / "a.inq")
    monkeypatch.setattr(os, "fsync", interrupted)
    assert ctl.main(["fmt", str(path)]) == 128 + signal.SIGINT
    assert capfd.readouterr() == ("", "")
    assert below(tmp_path) == {"a.inq": MESSY.encode()}


def test_a_mistake_of_ours(
    tmp_path: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A layout that means something else is never written."""
    path = write(tmp_path / "a.inq")
    monkeypatch.setattr(format_, "layout", lambda lexemes: "check host\n")
    assert ctl.main(["fmt", str(path)]) == 1
    out, err = capfd.readouterr()
    assert (out, err.split("\n")[0]) == (
        "",
        f"{path}: left as it is: in another layout it would mean something else",
    )
    assert path.read_text() == MESSY


def test_a_file_that_would_grow_too_large(tmp_path: Path, capfd: Captured) -> None:
    """The agent would not read it any more, so it stays."""
    text = "check host if\n" + "#\n" * 150_000 + "down then alert"
    path = write(tmp_path / "a.inq", text)
    assert ctl.main(["fmt", "--check", str(path)]) == 1
    said = f"{path}: left as it is: laid out it would be too large, more than 1024 KiB\n"
    assert capfd.readouterr() == ("", said)


@pytest.mark.parametrize("option", ["", "--check", "--diff"])
def test_a_full_standard_output(tmp_path: Path, option: str) -> None:
    """Exit 1, and the reason."""
    path = write(tmp_path / "a.inq")
    with open("/dev/full", "wb") as full:
        argv = [INSPECTCTL, "fmt", *([option] if option else []), str(path)]
        ended = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, check=False)
    said = b"standard output: cannot be written: no space left on device\n"
    assert (ended.returncode, ended.stderr) == (1, said)


def test_a_reader_that_has_read_enough(tmp_path: Path) -> None:
    """As everywhere: nothing is said, and the status is that of SIGPIPE."""
    path = write(tmp_path / "a.inq")
    out, into = os.pipe()
    os.close(out)
    argv = [INSPECTCTL, "fmt", "--diff", str(path)]
    ended = subprocess.run(argv, stdout=into, stderr=subprocess.PIPE, check=False)
    os.close(into)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")


def test_a_terminal_without_these_characters(tmp_path: Path) -> None:
    """What is written to standard output stays UTF-8."""
    ended = fmt("-", given="check  service ü".encode(), PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (ended.returncode, ended.stdout) == (0, "check service ü\n".encode())
    path = write(tmp_path / "a.inq", "check service ü")
    ended = fmt("--diff", path, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert ended.stdout.endswith("+check service ü\n".encode())


@pytest.mark.parametrize(
    "arguments", [[], ["--check"], ["--check", "--diff", "x"], ["--chec", "x"]]
)
def test_wrong_usage(capsys: Captured, arguments: list[str]) -> None:
    """Exit 2."""
    with pytest.raises(SystemExit) as ended:
        ctl.main(["fmt", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: inspectctl fmt [-h] [--check | --diff] FILES")


def test_help_names_it(capsys: Captured) -> None:
    """`inspectctl -h` lists it, `inspectctl fmt -h` explains it."""
    for arguments, said in ((["-h"], "  fmt [--check|--diff] FILES "), (["fmt", "-h"], "--diff ")):
        with pytest.raises(SystemExit) as ended:
            ctl.main(arguments)
        assert ended.value.code == 0
        assert said in capsys.readouterr().out


def test_our_own_files_are_laid_out(capfd: Captured) -> None:
    """The rules and the configuration that come with the project."""
    folders = [ROOT / "rules", ROOT / "packaging" / "etc"]
    assert len([path for folder in folders for path in folder.rglob("*.inq")]) > 5
    assert ctl.main(["fmt", "--check", *map(str, folders)]) == 0
    assert capfd.readouterr() == ("", "")
