"""Reads a configuration's folder: texts, and what keeps files from being texts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from inspect_agent.folder import CONFS, FOLDERS, HOST, Marks, belongs, mark_of_file, named, scan
from inspect_agent.lang import disk
from inspect_agent.lang.ast import Word
from inspect_agent.lang.problems import Wrong, shown
from inspect_agent.lang.report import WHOLE, Findings, Report

MOST_BYTES = 1024 * 1024
MOST_BYTES_TOGETHER = 16 * MOST_BYTES
_MOST_VALUE_BYTES = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Text(NamedTuple):
    """A file's text; `file` is its name below the configuration's folder."""

    file: str
    text: str


class Texts(NamedTuple):
    """Everything that a configuration is read from.

    values   path and content of the files that `file:/path` named
    """

    conf: Text | None
    inq: tuple[Text, ...]
    values: tuple[tuple[str, str], ...] = ()


class Misfit(NamedTuple):
    """Why bytes are no text, and where."""

    at: Word
    wrong: Wrong


class Folder:
    """A configuration's folder, read by an agent that runs as the user of this number.

    marks   of its files before they were read, and of those elsewhere that hold values
    whole   False where some file could not be read
    """

    def __init__(self, root: str, user: int, findings: Findings) -> None:
        self._root = root
        self._user = user
        self._findings = findings
        self._left_bytes = MOST_BYTES_TOGETHER
        self.marks = dict(scan(root))
        self.whole = True

    def texts(self) -> Texts:
        """All its texts; `whole` tells afterwards whether that is all it holds."""
        present = disk.names(self._root, self._user)
        if isinstance(present, Wrong):
            self._fault(shown(self._root, 200), WHOLE, present)
            return Texts(None, ())
        confs = [name for name in CONFS if self._has(name)]
        conf = self._conf(confs[0]) if confs else None
        for name in confs[1:]:
            wrong = Wrong("not read", f"{confs[0]} is there, too: remove one of them")
            Report(name, "", self._findings).warning(WHOLE, wrong)
        texts = (self._text(name) for name in self._names())
        return Texts(conf, tuple(text for text in texts if text))

    def value(self, path: str) -> str | Wrong:
        """What a file holds that a setting names, without its last line break."""
        if not path.startswith("/"):
            return Wrong("{} names no absolute path", "file:/path/to/it")
        self.marks[path] = mark_of_file(path)
        content = disk.read(path, self._user, _MOST_VALUE_BYTES)
        text = content if isinstance(content, Wrong) else decoded(content.data)
        if isinstance(text, Misfit):
            text = text.wrong
        if isinstance(text, Wrong):
            return text._replace(message=f"{{}}: {text.message}")
        return text.removesuffix("\n")

    def _has(self, name: str) -> bool:
        return os.path.lexists(os.path.join(self._root, name))

    def _names(self) -> Iterator[str]:
        if self._has(HOST):
            yield HOST
        for folder in filter(self._has, FOLDERS):
            path = os.path.join(self._root, folder)
            names = disk.names(path, self._user)
            if isinstance(names, Wrong):
                self._fault(folder, WHOLE, names)
            else:
                yield from (f"{folder}/{name}" for name in filter(belongs, names))

    def _conf(self, name: str) -> Text | None:
        content = self._content(name)
        if content and content.public:
            wrong = Wrong("everybody may read it, and it holds secrets", f"chmod 0600 {name}")
            Report(name, "", self._findings).warning(WHOLE, wrong)
        return self._decoded(name, content) if content else None

    def _text(self, name: str) -> Text | None:
        content = self._content(name)
        return self._decoded(name, content) if content else None

    def _content(self, name: str) -> disk.Content | None:
        path = os.path.join(self._root, name)
        content = disk.read(path, self._user, MOST_BYTES)
        if isinstance(content, Wrong):
            self._fault(name, WHOLE, content)
            return None
        self._left_bytes -= len(content.data)
        if self._left_bytes < 0:
            together = f"too large: all files together hold more than {MOST_BYTES_TOGETHER} bytes"
            self._fault(name, WHOLE, Wrong(together))
            return None
        return content

    def _decoded(self, name: str, content: disk.Content) -> Text | None:
        text = decoded(content.data)
        if isinstance(text, Misfit):
            self._fault(name, text.at, text.wrong)
            return None
        return Text(shown(name, 200), text)

    def _fault(self, file: str, at: Word, wrong: Wrong) -> None:
        self.whole = False
        Report(shown(file, 200), "", self._findings).error(at, wrong)


def unchanged(texts: Texts, folder: Folder) -> Marks:
    """The marks of these texts: as the folder has them, or "?" where it says something else."""
    values = ((path, folder.value(path)) for path, _ in texts.values)
    found = tuple((path, value) for path, value in values if not isinstance(value, Wrong))
    now = _contents(folder.texts()._replace(values=found))
    return {
        named(file): folder.marks.get(named(file), "?") if now.get(file) == text else "?"
        for file, text in _contents(texts).items()
    }


def _contents(texts: Texts) -> dict[str, str]:
    """By the names and paths of the files."""
    read = {text.file: text.text for text in (texts.conf, *texts.inq) if text}
    return {**read, **dict(texts.values)}


def decoded(data: bytes) -> str | Misfit:
    """The text of a file: UTF-8 with or without BOM, lines ended by LF, CRLF or CR."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf_16 = data.startswith(_UTF_16)
        hint = "save it as UTF-8, it is UTF-16" if utf_16 else "save it as UTF-8"
        before = data[: error.start].decode("utf-8-sig", "replace")
        return Misfit(_end(before), Wrong("not UTF-8", hint))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    control = _CONTROL.search(text)
    if control:
        wrong = Wrong(f"a binary file: it holds the control character U+{ord(control[0]):04X}")
        return Misfit(_end(text[: control.start()]), wrong)
    return text


def _end(text: str) -> Word:
    """The place right behind a text."""
    lines = text.split("\n")
    return Word("", len(lines), len(lines[-1]) + 1)
