"""Where supervisord listens, by what its configuration says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inspect_agent.errors import ManagerError
from inspect_agent.workers import supervisord_conf
from inspect_agent.workers.supervisord_conf import Server
from inspect_agent.workers.supervisord_programs import autorestarts

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root cares whose a file is")

DEBIAN = """; supervisor config file
[unix_http_server]
file=/var/run/supervisor.sock   ; (the path to the socket file)
chmod=0700                       ; sockef file mode (default 0700)

[supervisord]
logfile=/var/log/supervisor/supervisord.log ; (main log file;default $CWD/supervisord.log)

[supervisorctl]
serverurl=unix:///var/run/supervisor.sock ; use a unix:// URL  for a unix socket

[include]
files = /etc/supervisor/conf.d/*.conf
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Where the configuration is."""
    return tmp_path / "supervisord.conf"


def found(conf: Path, text: str) -> Server:
    """Where supervisord is asked by a configuration, which is not repeated."""
    conf.write_text(text)
    server = supervisord_conf.server(supervisord_conf.load([str(conf)]))
    assert server.conf == str(conf)
    return server._replace(conf="")


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (DEBIAN, Server("/var/run/supervisor.sock")),
        ("[supervisorctl]\nserverurl = http://localhost:9001", Server("", "localhost", 9001)),
        ("[supervisorctl]\nserverurl=http://localhost/", Server("", "localhost", 80)),
        ("[supervisorctl]\nserverurl=http://:9001", Server("", "127.0.0.1", 9001)),
        ("[unix_http_server]\nfile=/run/s.sock", Server("/run/s.sock")),
        ("[unix_http_server:main]\nfile=/run/s.sock", Server("/run/s.sock")),
        ("[supervisorctl]\n[unix_http_server]\nfile=/run/s.sock", Server("/run/s.sock")),
        ("[inet_http_server]\nport=9001", Server("", "127.0.0.1", 9001)),
        ("[inet_http_server]\nport=*:9001", Server("", "127.0.0.1", 9001)),
        ("[inet_http_server]\nport=:9001", Server("", "127.0.0.1", 9001)),
        ("[inet_http_server]\nport=10.0.0.1:9001", Server("", "10.0.0.1", 9001)),
        (
            "[inet_http_server]\nport=9001\n[unix_http_server]\nfile=/run/s.sock",
            Server("/run/s.sock"),
        ),
        (
            "[supervisorctl]\nserverurl=unix:///run/../run/s.sock\nusername=ann\npassword=a%%b",
            Server("/run/s.sock", username="ann", password="a%b"),
        ),
        (
            "[unix_http_server]\nfile=/run/s.sock\nusername=ann\npassword=pa;ss #word",
            Server("/run/s.sock", username="ann", password="pa;ss"),
        ),
        (
            "[inet_http_server]\nport=*:9001\nusername=ann\npassword=word\n"
            "[supervisorctl]\nserverurl=http://localhost:9001",
            Server("", "localhost", 9001, "ann", "word"),
        ),
        (
            "[inet_http_server]\nport=*:9001\nusername=ann\npassword=word\n"
            "[supervisorctl]\nserverurl=unix:///run/s.sock",
            Server("/run/s.sock"),
        ),
        (
            "[inet_http_server]\nport=*:9001\nusername=ann\npassword={SHA}82ab876d1387bfaf\n"
            "[supervisorctl]\nserverurl=http://localhost:9001\nusername=ann\npassword=word",
            Server("", "localhost", 9001, "ann", "word"),
        ),
        (
            "[supervisord]\nuser=app\n[unix_http_server]\nfile=/run/s.sock",
            Server("/run/s.sock", user="app"),
        ),
    ],
)
def test_where_it_is_asked(conf: Path, text: str, server: Server) -> None:
    """As supervisorctl would ask, else where it is told to listen, with the login wanted there."""
    assert found(conf, text) == server


def test_expansions(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """%(here)s is the folder of the file, and %(ENV_NAME)s what the environment says."""
    monkeypatch.setenv("RUN", "run")
    text = "[supervisorctl]\nserverurl=unix://%(here)s/%(ENV_RUN)s/s.sock"

    assert found(conf, text) == Server(f"{conf.parent}/run/s.sock")


def test_the_first_file_that_is_there(conf: Path) -> None:
    """Paths are tried in their order; the later ones are not read."""
    conf.write_text("[unix_http_server]\nfile=/run/s.sock")
    later = conf.with_name("later.conf")
    later.write_text("rubbish")

    assert supervisord_conf.load([f"{conf}.no", str(conf), str(later)]).path == str(conf)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ": no serverurl in [supervisorctl], no [unix_http_server]"),
        ("serverurl=x", ":1: it belongs to no [section]"),
        ("[supervisorctl]\npassword secret", ":2: it is no NAME=VALUE"),
        (
            "[supervisorctl]\nserverurl=https://secret@x",
            ": serverurl in [supervisorctl] is no unix:// or http:// of use",
        ),
        (
            "[supervisorctl]\nserverurl=http://x:secret",
            ": serverurl in [supervisorctl] is no unix:// or http:// of use",
        ),
        ("[inet_http_server]\nport=http", ": [inet_http_server] has no port"),
        ("[inet_http_server]\nport=65536", ": [inet_http_server] has no port"),
        ("[inet_http_server]\nusername=ann", ": [inet_http_server] has no port"),
        (
            "[supervisorctl]\nserverurl=unix:///x\nusername=ann\npassword=%(ENV_NO_SECRET)s",
            ": password of [supervisorctl]: %(ENV_NO_SECRET)s has no value here: write out what it"
            " stands for",
        ),
        (
            "[supervisorctl]\nserverurl=unix:///x\nusername=ann\npassword=secret%!",
            ": password of [supervisorctl]: a % that is to be one is written %%",
        ),
        (
            "[supervisorctl]\nserverurl=unix:///x\nusername=ann\npassword=a%(secret)s",
            ": password of [supervisorctl]: a % that is to be one is written %%",
        ),
        (
            "[unix_http_server]\nfile=/x\nusername=ann\npassword={SHA}secret",
            ": a hash is no password: it is wanted in [supervisorctl]",
        ),
        ("\0" * 1024 * 1024 + "\n", ": too large: more than 1024 KiB"),
    ],
)
def test_what_is_wrong_with_it(conf: Path, text: str, words: str) -> None:
    """Says where and what, and quotes no value: it could be a password."""
    with pytest.raises(ManagerError) as error:
        found(conf, text)
    assert str(error.value) == f"{conf}{words}"


def test_no_configuration() -> None:
    """Says where it was looked for."""
    with pytest.raises(ManagerError) as error:
        supervisord_conf.load(["/nowhere/a.conf", "/nowhere/b.conf"])
    assert str(error.value) == (
        "it is not configured: there is no /nowhere/a.conf and no /nowhere/b.conf"
    )


@needs_root
@pytest.mark.parametrize(
    ("mode", "owner", "words"),
    [
        (0o666, (0, 0), "others than root may write it (chmod go-w {})"),
        (0o664, (0, 1), "others than root may write it (chmod go-w {})"),
        (0o644, (1, 0), "not owned by root, as whom the agent runs (chown root {})"),
    ],
)
def test_root_believes_roots_files(
    conf: Path, mode: int, owner: tuple[int, int], words: str
) -> None:
    """A configuration that others may write could send root's passwords anywhere."""
    conf.write_text(DEBIAN)
    os.chown(conf, *owner)
    conf.chmod(mode)

    with pytest.raises(ManagerError) as error:
        supervisord_conf.load([str(conf)])
    assert str(error.value) == f"{conf}: {words.format(conf)}"


def test_what_is_no_file(conf: Path) -> None:
    """A pipe in the place of the configuration holds nobody up."""
    os.mkfifo(conf)

    with pytest.raises(ManagerError) as error:
        supervisord_conf.load([str(conf)])
    assert str(error.value) == f"{conf}: not a regular file"


def restarts(conf: Path, text: str) -> dict[str, bool]:
    """Which groups supervisord restarts by a configuration."""
    conf.write_text(text)
    return dict(autorestarts(supervisord_conf.load([str(conf)])))


@pytest.mark.parametrize(
    ("value", "is_restarted"),
    [
        ("", True),
        ("autorestart=unexpected", True),
        ("autorestart=TRUE ; always", True),
        ("autorestart=1", True),
        ("autorestart=false", False),
        ("autorestart=%(ENV_RESTART)s", False),
    ],
)
@pytest.mark.parametrize("kind", ["program", "fcgi-program", "eventlistener"])
def test_which_programs_are_restarted(
    conf: Path, kind: str, value: str, is_restarted: bool
) -> None:
    """A program is restarted unless it says otherwise, or says what only supervisord can read."""
    assert restarts(conf, f"[{kind}:web]\ncommand=x\n{value}") == {"web": is_restarted}


def test_groups_of_programs(conf: Path) -> None:
    """A group is restarted where all its programs are; they are no groups of their own any more."""
    programs = "[program:a]\n[program:b]\n[program:c]\nautorestart=no\n[program:d]\n"
    groups = "[group:ab]\nprograms=a, b\n[group:bc]\nprograms=b,c\n[group:de]\nprograms=d,e\n"

    assert restarts(conf, programs + groups) == {"ab": True, "bc": False, "de": False}


def test_included_files(conf: Path) -> None:
    """Programs are read from included files, later ones over earlier ones; no bad one matters."""
    folder = conf.parent / "conf.d"
    folder.mkdir()
    (folder / "1.conf").write_text("[program:a]\nautorestart=no\n[program:b]\nautorestart=no")
    (folder / "2.conf").write_text("[program:b]\nautorestart=yes")
    (folder / "3.conf").write_text("rubbish")
    os.mkfifo(folder / "4.conf")

    assert restarts(conf, "[include]\nfiles=conf.d/*.conf %(here)s/no.conf") == {
        "a": False,
        "b": True,
    }
    assert restarts(conf, "[include]\nfiles=%(ENV_NO)s/*.conf\n[program:c]") == {"c": True}
    assert restarts(conf, "[include]\n[program:c]") == {"c": True}
