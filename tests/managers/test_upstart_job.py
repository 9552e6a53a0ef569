from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.upstart_job import Job, observe, parse_jobs
from inspect_agent.model.observation import Observation

RECORD = Path(__file__).parents[1] / "fixtures/upstart/transcript-1.13.2.txt"


@pytest.mark.parametrize(
    ("text", "job"),
    [
        ("web start/running, process 32", Job("web", "", "start", "running", 32)),
        ("web stop/waiting", Job("web", "", "stop", "waiting")),
        ("rcS start/running", Job("rcS", "", "start", "running")),
        ("sidekiq (0) start/running, process 11", Job("sidekiq", "0", "start", "running", 11)),
        (
            "getty (/dev/tty1) stop/killed, process 9",
            Job("getty", "/dev/tty1", "stop", "killed", 9),
        ),
        (
            "network-interface-security (network-interface/eth0) start/running",
            Job("network-interface-security", "network-interface/eth0", "start", "running"),
        ),
        ("odd (a (b) c) stop/waiting", Job("odd", "a (b) c", "stop", "waiting")),
        ("net/apache start/pre-start, process 82", Job("net/apache", "", "start", "pre-start", 82)),
        (
            "web start/post-start, (post-start) process 2137",
            Job("web", "", "start", "post-start", 2137, "post-start"),
        ),
        (
            "mysql respawn/post-start, (post-start) process 1024",
            Job("mysql", "", "respawn", "post-start", 1024, "post-start"),
        ),
        (
            "prestart start/post-start, process 87\n\tpost-start process 88",
            Job("prestart", "", "start", "post-start", 87),
        ),
        (
            "rsyslog (start) running, process 32225",
            Job("rsyslog", "", "start", "running", 32225),
        ),
        ("tty6 (stop) waiting", Job("tty6", "", "stop", "waiting")),
        ("x (start) start/running", Job("x", "start", "start", "running")),
    ],
)
def test_lines(text: str, job: Job) -> None:
    """Each shape that initctl is known to print is one job."""
    assert parse_jobs(f"{text}\n") == [job]


def test_a_list_is_all_its_jobs() -> None:
    """The list that was recorded of a real Upstart, in its order."""
    listed = RECORD.read_text().partition("$ initctl list\n")[2].partition("(exit 0)")[0]

    assert parse_jobs(listed) == [
        Job("crash"),
        Job("forker", "", "start", "running", 127),
        Job("usr1", "", "start", "running", 137),
        Job("prestart"),
        Job("web"),
        Job("sidekiq", "1", "start", "running", 22),
        Job("sidekiq", "0", "start", "running", 74),
        Job("named", "shop-2", "start", "running", 77),
        Job("atask", "", "start", "running", 132),
    ]
    assert parse_jobs("") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "web start/running, process 3",
            "initctl ended within a line: 'web start/running, process 3'",
        ),
        ("web stop/waiting\nsidekiq (0) st", "initctl ended within a line: 'sidekiq (0) st'"),
        ("web start/running, proc\n", "initctl printed no job: 'web start/running, proc'"),
        ("web\n", "initctl printed no job: 'web'"),
        ("\n", "initctl printed no job: ''"),
        ("\tpost-start process 88\n", "initctl printed no job: '\\tpost-start process 88'"),
        (
            "web start/running, process -1\n",
            "initctl printed no job: 'web start/running, process -1'",
        ),
        (
            "web start/running, process १\n",
            "initctl printed no job: 'web start/running, process १'",
        ),
        (f"{'x' * 200}\n", f"initctl printed no job: '{'x' * 80}'"),
    ],
)
def test_what_is_no_job(text: str, words: str) -> None:
    """Half an answer, or another one, is an error that shows the place."""
    with pytest.raises(ManagerError) as error:
        parse_jobs(text)
    assert str(error.value) == words


def down(words: str) -> Observation:
    """What a job is of which nothing runs."""
    return Observation("down", reason=f"{words}; upstart does not say why", ambiguous=True)


def starting(words: str, *, restarts: bool = False) -> Observation:
    """What a job is that is on its way."""
    return Observation("starting", reason=words, restarts_itself=restarts)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x start/running, process 32", Observation("up", 32, "start/running")),
        ("x start/running", Observation("up", None, "start/running")),
        ("x stop/waiting", down("stop/waiting")),
        ("x start/waiting", starting("start/waiting")),
        ("x start/starting", starting("start/starting")),
        ("x start/pre-start, process 82", starting("start/pre-start")),
        ("x start/spawned, process 87", starting("start/spawned")),
        (
            "x start/post-start, process 87\n\tpost-start process 88",
            Observation("up", 87, "start/post-start"),
        ),
        ("x start/post-start, (post-start) process 88", starting("start/post-start")),
        ("x start/pre-stop, process 87", Observation("up", 87, "start/pre-stop")),
        ("x start/stopping, process 87", starting("start/stopping", restarts=True)),
        ("x start/stopping", starting("start/stopping", restarts=True)),
        ("x start/killed, process 87", starting("start/killed", restarts=True)),
        ("x start/post-stop, process 90", starting("start/post-stop", restarts=True)),
        (
            "x respawn/post-start, (post-start) process 88",
            starting("respawn/post-start", restarts=True),
        ),
        ("x respawn/pre-stop, (pre-stop) process 88", starting("respawn/pre-stop", restarts=True)),
        ("x stop/running, process 87", Observation("up", 87, "stop/running")),
        (
            "x stop/pre-stop, process 87\n\tpre-stop process 100",
            Observation("up", 87, "stop/pre-stop"),
        ),
        ("x stop/pre-stop, (pre-stop) process 100", down("stop/pre-stop")),
        ("x stop/stopping, process 87", Observation("up", 87, "stop/stopping")),
        ("x stop/stopping", down("stop/stopping")),
        ("x stop/killed, process 87", down("stop/killed")),
        ("x stop/post-stop, process 90", down("stop/post-stop")),
        ("x stop/starting", down("stop/starting")),
        ("x stop/pre-start, process 82", down("stop/pre-start")),
        ("x stop/post-start, process 87", Observation("up", 87, "stop/post-start")),
        ("x stop/dreaming, process 87", Observation("unknown", reason="stop/dreaming")),
        ("x rest/waiting", Observation("unknown", reason="rest/waiting")),
    ],
)
def test_states(line: str, expected: Observation) -> None:
    """Each goal and state is one observation; the process of a stage is no service's."""
    (job,) = parse_jobs(f"{line}\n")

    assert observe(job, respawns=False) == expected


@pytest.mark.parametrize(
    ("job", "restarts"),
    [
        (Job("x", "", "start", "running", 32), True),
        (Job("x", "", "start", "post-start", 32), True),
        (Job("x", "", "start", "pre-start", 32), True),
        (Job("x", "", "stop", "pre-stop", 32), False),
        (Job("x"), False),
    ],
)
def test_a_job_that_respawns(job: Job, restarts: bool) -> None:
    """Upstart brings it back for as long as it is to be there."""
    assert observe(job, respawns=True).restarts_itself is restarts


LISTED = st.lists(
    st.builds(
        "{}{} {}/{}{}".format,
        st.sampled_from(["web", "net/apache"]),
        st.sampled_from(["", " (0)", " (/dev/tty1)"]) | st.text().map(" ({})".format),
        st.sampled_from(["start", "stop", "respawn"]),
        st.sampled_from(["running", "waiting", "killed", "post-start"]),
        st.sampled_from(["", ", process 32", ", (post-start) process 9", "\n\tpre-stop process 1"]),
    )
).map("".join)


@given(st.text() | LISTED | LISTED.map("{}\n".format))
def test_lists_give_observations_or_an_error(text: str) -> None:
    """No text makes anything but observations or a ManagerError."""
    with suppress(ManagerError):
        for job in parse_jobs(text):
            assert isinstance(observe(job, respawns=True), Observation)
