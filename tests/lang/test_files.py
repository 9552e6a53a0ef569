"""Reading a configuration's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inspect_agent.lang import disk, files
from inspect_agent.lang.files import Folder, Misfit, Text, Texts
from inspect_agent.lang.problems import Wrong, render
from inspect_agent.lang.report import Findings

SOMEBODY = 1000
"""A user that is not root, for whom files may belong to anybody."""


def read(root: Path | str, user: int = SOMEBODY) -> tuple[Texts, list[str], list[str]]:
    """What a folder holds, its problems and its warnings."""
    findings = Findings()
    texts = Folder(str(root), user, findings).texts()
    return (
        texts,
        [render(problem) for problem in findings.errors],
        [render(problem) for problem in findings.warnings],
    )


def write(path: Path, content: str | bytes = "", mode: int = 0o600) -> Path:
    """A file in a folder that is made for it."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def test_all_files_in_their_order(tmp_path: Path) -> None:
    """The conf, host.inq, then services.d and jobs.d by file name; nothing else is read."""
    for name in ("services.d/b.inq", "services.d/a.inq", "jobs.d/j.inq", "host.inq"):
        write(tmp_path / name, name)
    for name in ("services.d/.#a.inq", "services.d/a.inq~", "services.d/c.txt", "x.inq"):
        write(tmp_path / name, "left alone")
    write(tmp_path / "inspect.conf", "conf")
    names = ("host.inq", "services.d/a.inq", "services.d/b.inq", "jobs.d/j.inq")
    texts = Texts(Text("inspect.conf", "conf"), tuple(Text(name, name) for name in names))
    assert read(tmp_path) == (texts, [], [])


def test_inspeqtor_conf_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    """Users of Inspeqtor move over without renaming a file."""
    write(tmp_path / "inspeqtor.conf", "old")
    assert read(tmp_path) == (Texts(Text("inspeqtor.conf", "old"), ()), [], [])


def test_inspect_conf_wins(tmp_path: Path) -> None:
    """Where both are there, the one that is not read is named."""
    for name in ("inspect.conf", "inspeqtor.conf"):
        write(tmp_path / name, name)
    said = "inspeqtor.conf: warning: not read\n    inspect.conf is there, too: remove one of them"
    texts = Texts(Text("inspect.conf", "inspect.conf"), ())
    assert read(tmp_path) == (texts, [], [said])


def test_an_empty_folder_is_a_configuration(tmp_path: Path) -> None:
    """Neither conf nor rules have to be there."""
    assert read(tmp_path) == (Texts(None, ()), [], [])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A missing folder, and a file in its place, are problems with its path."""
    file = write(tmp_path / "file")
    missing, dangling = tmp_path / "missing", tmp_path / "dangling"
    dangling.symlink_to(missing)
    assert read(missing)[1] == [f"{missing}: no such folder"]
    assert read(file)[1] == [f"{file}: not a folder"]
    assert read(dangling)[1] == [f"{dangling}: a link to {str(missing)[:60]}…, which is missing"]
    assert read(f"{tmp_path}/\0")[1] == [f"{tmp_path}/�: not a path"]


def test_what_is_no_file(tmp_path: Path) -> None:
    """Folders, links to nowhere and in circles, and pipes are problems, and hold nothing up."""
    services = tmp_path / "services.d"
    (services / "a.inq").mkdir(parents=True)
    (services / "b.inq").symlink_to("gone")
    (services / "c.inq").symlink_to("c.inq")
    os.mkfifo(services / "d.inq")
    (services / "e.inq").symlink_to("/dev/zero")
    write(services / "f.inq", "sound")
    texts, problems, _ = read(tmp_path)
    assert texts.inq == (Text("services.d/f.inq", "sound"),)
    assert problems == [
        "services.d/a.inq: a folder, not a file",
        "services.d/b.inq: a link to gone, which is missing",
        "services.d/c.inq: a loop of links",
        "services.d/d.inq: not a regular file",
        "services.d/e.inq: not a regular file",
    ]


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    """services.d has to be a folder where it is there."""
    write(tmp_path / "services.d")
    assert read(tmp_path)[1] == ["services.d: not a folder"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A file that cannot be read is a problem, with the system's words."""
    (tmp_path / "host.inq").symlink_to("/proc/self/mem")  # reading its first byte is an error
    assert read(tmp_path)[1] == ["host.inq: cannot be read: input/output error"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfcheck host", "check host"),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        ("tabs\tand ümlauts".encode(), "tabs\tand ümlauts"),
        (b"", ""),
    ],
)
def test_texts(content: bytes, text: str) -> None:
    """UTF-8 with or without BOM, with any line ends."""
    assert files.decoded(content) == text


@pytest.mark.parametrize(
    ("content", "place", "message", "hint"),
    [
        (b"ab\ncd\xff", (2, 3), "not UTF-8", "save it as UTF-8"),
        ("Größe".encode("latin-1"), (1, 3), "not UTF-8", "save it as UTF-8"),
        ("check".encode("utf-16"), (1, 1), "not UTF-8", "save it as UTF-8, it is UTF-16"),
        (b"a\n\0", (2, 1), "a binary file: it holds the control character U+0000", ""),
        (b"a\x1b[31m", (1, 2), "a binary file: it holds the control character U+001B", ""),
    ],
)
def test_what_is_no_text(content: bytes, place: tuple[int, int], message: str, hint: str) -> None:
    """Other bytes are a problem, with the place of the first that does not fit."""
    misfit = files.decoded(content)
    assert isinstance(misfit, Misfit)
    assert (misfit.at[1:3], misfit.wrong) == (place, Wrong(message, hint))


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has a size it must not pass, and so have all of them together."""
    write(tmp_path / "host.inq", "#" * (files.MOST_BYTES + 1))
    assert read(tmp_path)[1] == ["host.inq: too large: more than 1024 KiB"]
    monkeypatch.setattr(files, "MOST_BYTES_TOGETHER", 10)
    write(tmp_path / "host.inq", "#" * 6)
    write(tmp_path / "services.d/a.inq", "#" * 6)
    assert read(tmp_path)[1] == [
        "services.d/a.inq: too large: all files together hold more than 10 bytes"
    ]


def test_a_conf_that_everybody_may_read(tmp_path: Path) -> None:
    """It holds secrets, so this is a warning; for rules it is none."""
    write(tmp_path / "inspect.conf", "", 0o644)
    write(tmp_path / "host.inq", "", 0o644)
    assert read(tmp_path)[1:] == (
        [],
        [
            "inspect.conf: warning: everybody may read it, and it holds secrets\n"
            "    chmod 0600 inspect.conf"
        ],
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_as_root_all_has_to_be_roots(tmp_path: Path) -> None:
    """What others own or may write is no configuration for root."""
    write(tmp_path / "services.d/a.inq", "sound", 0o644)
    write(tmp_path / "services.d/b.inq", "", 0o606)
    os.chown(write(tmp_path / "services.d/c.inq"), SOMEBODY, 0)
    os.chown(write(tmp_path / "services.d/d.inq", "", 0o620), 0, SOMEBODY)
    os.chown(write(tmp_path / "services.d/e.inq", "sound", 0o660), 0, 0)
    texts, problems, _ = read(tmp_path, disk.ROOT)
    assert [text.file for text in texts.inq] == ["services.d/a.inq", "services.d/e.inq"]
    assert problems == [
        "services.d/b.inq: others than root may write it\n    chmod go-w",
        "services.d/c.inq: not owned by root, as whom the agent runs\n    chown root",
        "services.d/d.inq: others than root may write it\n    chmod go-w",
    ]
    assert read(tmp_path, SOMEBODY)[1] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give folders away")
def test_as_root_folders_have_to_be_roots_too(tmp_path: Path) -> None:
    """Who may write a folder decides what is read from it."""
    (tmp_path / "services.d").mkdir()
    (tmp_path / "services.d").chmod(0o777)
    assert read(tmp_path, disk.ROOT)[1] == [
        "services.d: others than root may write it\n    chmod go-w"
    ]
    os.chown(tmp_path, SOMEBODY, SOMEBODY)
    assert read(tmp_path, disk.ROOT)[1] == [
        f"{tmp_path}: not owned by root, as whom the agent runs\n    chown root"
    ]


def test_values_in_files(tmp_path: Path) -> None:
    """A value is what its file holds, without the last line break."""
    folder = Folder(str(tmp_path), SOMEBODY, Findings())
    assert folder.value(str(write(tmp_path / "secret", "pa ss\r\n"))) == "pa ss"
    assert folder.value(str(write(tmp_path / "lines", "a\n\n"))) == "a\n"
    assert folder.value(str(tmp_path / "gone")) == Wrong("{}: no such file")
    assert folder.value(str(tmp_path)) == Wrong("{}: a folder, not a file")
    assert folder.value("secret") == Wrong("{} names no absolute path", "file:/path/to/it")
    assert folder.value(str(write(tmp_path / "bytes", b"\xff"))) == Wrong(
        "{}: not UTF-8", "save it as UTF-8"
    )


def test_strange_names(tmp_path: Path) -> None:
    """A file's name is shown without what could harm a terminal."""
    write(tmp_path / "services.d/a\x1b[31m\n.inq", "\0")
    (problem,) = read(tmp_path)[1]
    assert problem.startswith("services.d/a�[31m�.inq:1:1: a binary file")
