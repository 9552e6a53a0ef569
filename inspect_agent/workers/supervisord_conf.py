"""Where supervisord listens, by its own configuration, read as it reads that itself.

Format: http://supervisord.org/configuration.html, and options.py of its source.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from inspect_agent.errors import ManagerError
from inspect_agent.lang import disk

MOST_BYTES = 1024 * 1024
LOCALHOST = "127.0.0.1"


class Server(NamedTuple):
    """Where supervisord is asked.

    path      its socket, or "" where it is asked over HTTP
    username  None: it wants none
    user      as whom it runs, "" where that is not written down
    conf      the file that says all this
    """

    path: str = ""
    host: str = ""
    port: int = 0
    username: str | None = None
    password: str = ""
    user: str = ""
    conf: str = ""

    @property
    def url(self) -> str:
        """As `serverurl` is written."""
        return f"unix://{self.path}" if self.path else f"http://{self.host}:{self.port}"


class Conf(NamedTuple):
    """A configuration's main file."""

    path: str
    sections: configparser.RawConfigParser

    @property
    def folder(self) -> str:
        """What `%(here)s` stands for."""
        return os.path.dirname(os.path.abspath(self.path))

    def value(self, section: str, option: str) -> str | None:
        """A value, expanded; None where there is none. Raises ManagerError."""
        value = self.sections.get(section, option, fallback=None)
        if value is None:
            return None
        try:
            return value % expansions(self.folder)
        except (KeyError, ValueError, TypeError) as error:
            why = "a % that is to be one is written %%"
            name = str(error.args[0])
            if isinstance(error, KeyError) and name.startswith("ENV_"):  # else a password's piece
                why = f"%({name})s has no value here: write out what it stands for"
        raise ManagerError(f"{self.path}: {option} of [{section}]: {why}")


def expansions(folder: str) -> dict[str, str]:
    """What `%(NAME)s` stands for."""
    return {"here": folder, **{f"ENV_{name}": value for name, value in os.environ.items()}}


def load(paths: Sequence[str]) -> Conf:
    """The first of these files that is there. Raises ManagerError."""
    found = [path for path in paths if os.path.exists(path)]
    if not found:
        raise ManagerError(f"it is not configured: there is no {' and no '.join(paths)}")
    conf = Conf(found[0], parser())
    add(conf.sections, conf.path)
    return conf


def parser() -> configparser.RawConfigParser:
    """What supervisord parses its files with."""
    return configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)


def add(sections: configparser.RawConfigParser, path: str) -> None:
    """Adds what a file says. Raises ManagerError where it cannot be used."""
    content = disk.read(path, os.geteuid(), MOST_BYTES)
    if not isinstance(content, disk.Content):
        hint = f" ({content.hint} {path})" if content.hint else ""
        raise ManagerError(f"{path}: {content.message}{hint}")
    try:
        sections.read_string(content.data.decode(errors="surrogateescape"), path)
    except configparser.MissingSectionHeaderError as error:  # in its words are lines: secrets
        raise ManagerError(f"{path}:{error.lineno}: it belongs to no [section]") from None
    except configparser.ParsingError as error:
        raise ManagerError(f"{path}:{error.errors[0][0]}: it is no NAME=VALUE") from None


def server(conf: Conf) -> Server:
    """Where it is asked: as supervisorctl would, else where it is told to listen.

    Where [supervisorctl] holds no username, the one that is wanted there is used.
    """
    listening = (*_unix(conf), *_inet(conf))
    url = conf.value("supervisorctl", "serverurl")
    if url is None and not listening:
        raise ManagerError(f"{conf.path}: no serverurl in [supervisorctl], no [unix_http_server]")
    asked = listening[0] if url is None else _asked(conf, url, listening)
    username = conf.value("supervisorctl", "username")
    if username is not None:
        password = conf.value("supervisorctl", "password") or ""
        asked = asked._replace(username=username, password=password)
    elif asked.password.startswith("{SHA}"):
        raise ManagerError(f"{conf.path}: a hash is no password: it is wanted in [supervisorctl]")
    return asked._replace(user=conf.value("supervisord", "user") or "", conf=conf.path)


def _asked(conf: Conf, url: str, listening: Sequence[Server]) -> Server:
    asked = _read(conf, url)
    for one in listening:
        if (one.path, one.port) == (asked.path, asked.port):
            return asked._replace(username=one.username, password=one.password)
    return asked


def _read(conf: Conf, url: str) -> Server:
    scheme, _, rest = url.partition("://")
    try:
        if scheme == "unix":
            return Server(path=_absolute(rest))
        if scheme == "http":
            parts = urlsplit(url)
            return Server(host=parts.hostname or LOCALHOST, port=parts.port or 80)
    except ValueError:
        pass  # no port; its words may quote a password
    raise ManagerError(f"{conf.path}: serverurl in [supervisorctl] is no unix:// or http:// of use")


def _unix(conf: Conf) -> Iterator[Server]:
    for section in _named(conf, "unix_http_server"):
        file = conf.value(section, "file")
        if file is not None:
            yield _with_login(conf, section, Server(path=_absolute(file.strip())))


def _inet(conf: Conf) -> Iterator[Server]:
    for section in _named(conf, "inet_http_server"):
        host, _, port = (conf.value(section, "port") or "").rpartition(":")
        if not port.isdecimal() or int(port) >= 1 << 16:
            raise ManagerError(f"{conf.path}: [{section}] has no port")
        here = Server(host=LOCALHOST if host in ("", "*") else host, port=int(port))
        yield _with_login(conf, section, here)


def _with_login(conf: Conf, section: str, listening: Server) -> Server:
    username = conf.value(section, "username")
    return listening._replace(username=username, password=conf.value(section, "password") or "")


def _named(conf: Conf, kind: str) -> list[str]:
    """`[kind]` and `[kind:NAME]`."""
    return [section for section in conf.sections.sections() if section.split(":")[0] == kind]


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))
