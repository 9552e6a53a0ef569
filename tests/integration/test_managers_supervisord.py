"""The supervisord manager against a real supervisord."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha1

import pytest

from inspect_agent.errors import ManagerError
from inspect_agent.managers import detect
from inspect_agent.managers.supervisord import Supervisord
from inspect_agent.model.observation import Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.ports import Question
from tests.integration.scandirs import until
from tests.integration.supervised import BY_SOCKET, SOCKET, Supervised, program, supervised
from tests.managers.builders import check

BACKOFF = "BACKOFF: Exited too quickly (process log may have details)"
STUBBORN = "/bin/sh -c \"trap '' TERM; > /run/ready; while :; do sleep 1000; done\""
RELOADS = "/bin/sh -c \"trap '> /run/reloaded' HUP; > /run/ready; while :; do sleep 0.02; done\""
PROGRAMS = "".join(
    [
        program("web"),
        program("unwatched", "/bin/sleep 1000", "autorestart=false"),
        program("off", "/bin/sleep 1000", "autostart=false"),
        program("starting", "/bin/sleep 1000", "startsecs=600"),
        program("looping", "/bin/sh -c 'exit 3'", "startsecs=1", "startretries=1000"),
        program("missing", "/bin/missing", "startretries=0"),
        program("done", "/bin/true"),
        program("crashed", "/bin/sh -c 'exit 3'", "autorestart=false"),
        program(
            "pool",
            "/bin/sleep 1000",
            "numprocs=2",
            "process_name=%(program_name)s_%(process_num)02d",
        ),
        program("alone", "/bin/sleep 1000", "process_name=other"),
        program("shop-web"),
        program("shop-worker", "/bin/sleep 1000", "autorestart=false"),
        "[group:shop]\nprograms=shop-web,shop-worker\n",
        program("--help"),
        program("$(reboot)"),
    ]
)


@pytest.fixture(scope="module")
def here() -> Iterator[Supervised]:
    """A machine whose supervisord runs PROGRAMS."""
    with supervised(PROGRAMS) as held:
        held.reach("missing", "FATAL")
        held.reach("looping", "BACKOFF")
        yield held


def answer(here: Supervised, argv: tuple[str, ...]) -> Finished:
    """How a command ended inside, in the environment that an agent gives it."""
    ran = here.machine.ask(argv)
    return Finished(ran.returncode, ran.stdout, ran.stderr)


def look(
    here: Supervised, *names: str, manager: Supervisord | None = None
) -> Mapping[str, Observation]:
    """What the manager learns about these services."""
    question = (manager or Supervisord()).look([check(name) for name in names])
    assert isinstance(question, Question)
    seen: Mapping[str, Observation] = question.parse(answer(here, question.command.argv))
    return seen


def do(here: Supervised, verb: Verb, name: str) -> Finished:
    """Runs what the manager gives as the command for this verb."""
    command = Supervisord().command(verb, check(name))
    assert command is not None
    return answer(here, command.argv)


def trouble(here: Supervised) -> str:
    """Why it cannot be asked."""
    with pytest.raises(ManagerError) as error:
        look(here, "web")
    return str(error.value)


def test_where_services_are(here: Supervised) -> None:
    """Each state of supervisord's, a stop told from a crash, and who would restart it."""
    names = ["web", "unwatched", "off", "starting", "looping", "missing", "done", "crashed"]
    pids = here.pids("web", "unwatched", "starting")

    assert look(here, *names) == {
        "web": Observation("up", pids["web"], "RUNNING", restarts_itself=True),
        "unwatched": Observation("up", pids["unwatched"], "RUNNING"),
        "off": Observation("down", None, "STOPPED"),
        "starting": Observation("starting", pids["starting"], "STARTING"),
        "looping": Observation("starting", None, BACKOFF, restarts_itself=True),
        "missing": Observation("failed", None, "FATAL: can't find command '/bin/missing'"),
        "done": Observation("down", None, "EXITED: exit status 0"),
        "crashed": Observation("failed", None, "EXITED: Bad exit code 3"),
    }


def test_names(here: Supervised) -> None:
    """Processes of groups are named as supervisorctl lists them; what is not there says so."""
    names = ["pool:pool_01", "alone", "shop:shop-web", "--help", "$(reboot)"]
    pids = here.pids("alone:other", *(name for name in names if name != "alone"))
    pids["alone"] = pids.pop("alone:other")
    seen = look(here, *names, "pool", "shop-web", "nope", "../web", "shop:*", "a b")

    assert {name: seen[name].pid for name in names} == pids
    assert 0 not in pids.values()
    assert not seen["shop:shop-web"].restarts_itself  # not all of its group are restarted
    assert {name: seen[name] for name in seen.keys() - set(names)} == {
        "pool": Observation("absent", None, "pool is a group of 2: name one, as pool:pool_00"),
        "shop-web": Observation("absent", None, "it knows no shop-web, but shop:shop-web"),
        "nope": Observation("absent", None, "it knows no nope"),
        **{
            name: Observation("absent", None, f"'{name}' cannot be the name of a process")
            for name in ("../web", "shop:*", "a b")
        },
    }


def test_what_is_loaded(here: Supervised) -> None:
    """All processes, by the names under which they are found."""
    question = Supervisord().loaded()
    assert isinstance(question, Question)
    names = question.parse(answer(here, question.command.argv))
    told = [line.split()[0] for line in here.ctl("status").splitlines()]

    assert names == told
    assert "absent" not in {seen.status for seen in look(here, *names).values()}


def test_a_glance_sees_a_stop(here: Supervised) -> None:
    """A glance is another one as soon as something has changed, and not before."""

    def glance() -> str:
        question = Supervisord().glance([check("web")])
        assert isinstance(question, Question)
        return str(question.parse(answer(here, question.command.argv))["web"])

    before = [glance(), glance()]
    here.ctl("stop", "web")
    stopped = glance()
    here.ctl("start", "web")

    assert before[0] == before[1]
    assert len({before[0], stopped, glance()}) == 3


def test_start_stop_restart(here: Supervised) -> None:
    """A restart starts what is stopped; what is there already succeeds, too."""
    pids = []
    verbs: tuple[Verb, ...] = ("stop", "stop", "restart", "start", "restart")
    for verb in verbs:
        assert do(here, verb, "shop:shop-worker") == Finished(0, "", "")
        pids.append(look(here, "shop:shop-worker")["shop:shop-worker"].pid)

    assert pids[:2] == [None, None]
    assert pids[2] == pids[3] != pids[4]
    assert None not in pids[2:]


def test_one_of_a_pool(here: Supervised) -> None:
    """A restart of one process leaves the others of its group alone."""
    before = here.pids("pool:pool_00", "pool:pool_01")

    assert do(here, "restart", "pool:pool_00") == Finished(0, "", "")
    after = here.pids("pool:pool_00", "pool:pool_01")
    assert [name for name in before if after[name] != before[name]] == ["pool:pool_00"]


def test_what_cannot_be_started(here: Supervised) -> None:
    """The reason is supervisord's, and where the process is then."""
    gone = "can't find command '/bin/missing'"

    assert do(here, "start", "missing") == Finished(
        1, "", f"NO_FILE: {gone}; it is FATAL: {gone}\n"
    )
    refused = do(here, "restart", "looping").stderr
    assert re.match("(SPAWN_ERROR|ABNORMAL_TERMINATION): looping:looping; it is [BS]", refused)
    assert do(here, "restart", "nope") == Finished(1, "", "it knows no nope\n")


def test_reload() -> None:
    """A reload is SIGHUP: the process stays; where there is none it fails."""
    with supervised(program("reloads", RELOADS) + program("off", "x", "autostart=false")) as here:
        until((here.machine.root / "run/ready").exists, bool)
        pid = here.pid("reloads")

        assert do(here, "reload", "reloads") == Finished(0, "", "")
        until((here.machine.root / "run/reloaded").exists, bool)
        assert here.pid("reloads") == pid
        assert do(here, "reload", "off") == Finished(1, "", "NOT_RUNNING: off:off; it is STOPPED\n")


def test_what_is_being_stopped() -> None:
    """It is up for as long as its process is; a start waits until that has ended."""
    with supervised(program("stubborn", STUBBORN, "stopwaitsecs=1")) as here:
        until((here.machine.root / "run/ready").exists, bool)
        pid = here.pid("stubborn")
        stop = Supervisord().command("stop", check("stubborn"))
        assert stop is not None
        with here.machine.popen(stop.argv) as stopping:
            here.reach("stubborn", "STOPPING")
            seen = look(here, "stubborn")
            assert do(here, "start", "stubborn") == Finished(0, "", "")
            assert stopping.wait() == 0

        assert seen == {"stubborn": Observation("up", pid, "STOPPING")}
        assert here.pid("stubborn") not in (0, pid)


def test_a_crash_that_supervisord_repairs() -> None:
    """From the death on it is known that supervisord brings it back; it never counts as failed."""
    with supervised(program("web", "/bin/sleep 1000", "startsecs=1")) as here:
        here.reach("web", "RUNNING")
        manager = Supervisord()
        seen: list[Observation] = []
        before = look(here, "web", manager=manager)["web"]
        killed = here.kill("web")
        while not seen or seen[-1].status != "up" or seen[-1].pid == killed:
            seen.append(look(here, "web", manager=manager)["web"])

        assert before.restarts_itself
        assert {(one.status, one.restarts_itself) for one in seen} == {
            ("starting", True),
            ("up", True),
        }


# how it is reached

PORT = 19001
BY_HTTP = f"[inet_http_server]\nport=127.0.0.1:{PORT}\n{{}}"
LOGIN = "username=ann\npassword=o%%pen;sesame\n"
SHA = f"username=ann\npassword={{SHA}}{sha1(b'o%pen;sesame').hexdigest()}\n"


@pytest.mark.parametrize(
    "server",
    [
        f"[unix_http_server]\nfile=/{SOCKET}\n",
        f"[unix_http_server]\nfile=/{SOCKET}\n{LOGIN}",
        f"{BY_SOCKET}{LOGIN}[unix_http_server]\n{LOGIN}",
        f"{BY_SOCKET}{LOGIN}[unix_http_server]\n{SHA}",
        "[unix_http_server]\nfile=%(here)s/s\n[supervisorctl]\nserverurl=unix://%(here)s/s\n",
        BY_HTTP.format(""),
        BY_HTTP.format(LOGIN),
        BY_HTTP.format(f"{LOGIN}[supervisorctl]\nserverurl=http://localhost:{PORT}\n{LOGIN}"),
    ],
    ids=[
        "socket",
        "its login",
        "supervisorctl's login",
        "hash",
        "here",
        "http",
        "http login",
        "url",
    ],
)
def test_ways_to_reach_it(server: str) -> None:
    """Over its socket or HTTP, with and without a password, it is asked and told."""
    with supervised(program("web"), server) as here:
        pid = look(here, "web")["web"].pid

        assert do(here, "restart", "web") == Finished(0, "", "")
        assert look(here, "web")["web"].pid not in (None, pid)


@pytest.mark.parametrize("server", [BY_SOCKET, BY_HTTP.format("")], ids=["socket", "http"])
def test_a_wrong_password(server: str) -> None:
    """Is told as such, for a look and for a command, and none of the passwords is."""
    section = server.strip().splitlines()[0]
    url = f"unix:///{SOCKET}" if "unix" in server else f"http://localhost:{PORT}"
    with supervised(program("web"), f"{server}{section}\n{LOGIN}") as here:
        here.configure(f"[supervisorctl]\nserverurl={url}\nusername=ann\npassword=guess\n")
        words = f"{url}: it refuses username and password of /etc/supervisor/supervisord.conf"
        assert trouble(here) == words
        assert do(here, "restart", "web") == Finished(1, "", f"{words}\n")
        here.configure(f"[supervisorctl]\nserverurl={url}\n")
        assert trouble(here) == (
            f"{url}: it wants username and password, and /etc/supervisor/supervisord.conf has none"
            " in [supervisorctl]"
        )


def test_an_ordinary_user(here: Supervised) -> None:
    """Who may not connect to the socket is told so."""
    question = Supervisord().look([check("web")])
    assert isinstance(question, Question)
    nobody = ("setpriv", "--reuid=nobody", "--clear-groups")

    assert answer(here, (*nobody, *question.command.argv)) == Finished(
        1, "", f"unix:///{SOCKET}: this user may not connect to it\n"
    )


def test_a_configuration_of_everybodys(here: Supervised) -> None:
    """Root reads no configuration that others may write."""
    conf = here.machine.root / "etc/supervisor/supervisord.conf"
    conf.chmod(0o666)
    words = trouble(here)
    conf.chmod(0o644)

    assert words == (
        "/etc/supervisor/supervisord.conf: others than root may write it"
        " (chmod go-w /etc/supervisor/supervisord.conf)"
    )


def test_it_ends_and_comes_back() -> None:
    """Whether it was shut down or killed is told by what is left; back again it is asked again."""
    with supervised(program("web")) as here:
        before = look(here, "web")["web"].pid
        assert detect.supervisord(str(here.machine.root))
        here.stop()
        assert not detect.supervisord(str(here.machine.root))
        gone = trouble(here)
        here.start()
        after = look(here, "web")["web"].pid
        here.machine.tell("kill", "-KILL", str(here.daemon()))
        until(lambda: trouble(here), lambda words: "hung up" not in words)

        assert gone == (
            f"unix:///{SOCKET}: there is no such socket: it does not run, or listens elsewhere"
        )
        assert trouble(here) == f"unix:///{SOCKET}: nobody listens there: it does not run"
        assert None not in (before, after)
        assert here.machine.run(["kill", "-0", str(after)]).returncode == 0
