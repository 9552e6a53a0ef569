from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.systemd_unit import observe, parse_list, parse_show
from inspect_agent.model.observation import Observation

NO_UNIT = 'org.freedesktop.systemd1.NoSuchUnit "Unit x.service not found."'
MASKED = 'org.freedesktop.systemd1.UnitMasked "Unit x.service is masked."'
BAD = 'org.freedesktop.systemd1.BadUnitSetting "Unit x.service has a bad unit file setting."'


def unit(**properties: str) -> dict[str, str]:
    """A unit at rest, but for these properties."""
    return {
        "Id": "x.service",
        "LoadState": "loaded",
        "ActiveState": "inactive",
        "SubState": "dead",
        "Result": "success",
        "MainPID": "0",
        "Restart": "no",
        "ExecMainCode": "0",
        "ExecMainStatus": "0",
        "Job": "",
        **properties,
    }


def state(active: str, sub: str, **properties: str) -> dict[str, str]:
    """A unit in this state."""
    return unit(ActiveState=active, SubState=sub, **properties)


CRASHED = {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "3"}
KILLED = {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9"}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (
            state("active", "running", MainPID="87", ControlGroup="/system.slice/x.service"),
            Observation("up", 87, "active (running)", "/system.slice/x.service"),
        ),
        (
            state("active", "running", MainPID="87", Restart="always"),
            Observation("up", 87, "active (running)", restarts_itself=True),
        ),
        (
            state("active", "running", MainPID="87", Restart="on-abort"),
            Observation("up", 87, "active (running)"),
        ),
        (state("active", "exited"), Observation("up", None, "active (exited)")),
        (state("active", "active"), Observation("up", None, "active")),
        (state("reloading", "reload", MainPID="9"), Observation("up", 9, "reloading (reload)")),
        (
            state("activating", "start", MainPID="9"),
            Observation("starting", 9, "activating (start)"),
        ),
        (state("activating", "start-pre"), Observation("starting", None, "activating (start-pre)")),
        (
            state("activating", "auto-restart", **CRASHED),
            Observation(
                "starting",
                None,
                "activating (auto-restart), Result=exit-code, status=3",
                restarts_itself=True,
            ),
        ),
        (
            state("failed", "failed-before-auto-restart", **KILLED),
            Observation(
                "starting",
                None,
                "failed (failed-before-auto-restart), Result=signal, signal=KILL",
                restarts_itself=True,
            ),
        ),
        (
            state("deactivating", "stop-sigterm", MainPID="9"),
            Observation("up", 9, "deactivating (stop-sigterm)"),
        ),
        (
            state("deactivating", "stop-post"),
            Observation("down", None, "deactivating (stop-post), Result=success"),
        ),
        (
            state("deactivating", "stop-post", Restart="on-abnormal", **KILLED),
            Observation(
                "failed",
                None,
                "deactivating (stop-post), Result=signal, signal=KILL",
                restarts_itself=True,
            ),
        ),
        (
            state("inactive", "dead", Restart="always"),
            Observation("down", None, "inactive (dead), Result=success"),
        ),
        (
            state("inactive", "dead", Job="112"),
            Observation("starting", None, "inactive (dead), job 112 is queued"),
        ),
        (
            state("inactive", "dead", **CRASHED),
            Observation("failed", None, "inactive (dead), Result=exit-code, status=3"),
        ),
        (
            state("inactive", "dead", Result="exec-condition"),
            Observation("down", None, "inactive (dead), Result=exec-condition"),
        ),
        (
            state("failed", "failed", Restart="always", **KILLED),
            Observation("failed", None, "failed, Result=signal, signal=KILL"),
        ),
        (
            state("failed", "failed", Result="core-dump", ExecMainCode="3", ExecMainStatus="77"),
            Observation("failed", None, "failed, Result=core-dump, signal=77"),
        ),
        (
            state("failed", "failed", Result="resources"),
            Observation("failed", None, "failed, Result=resources"),
        ),
        (
            state("inactive", "dead", LoadState="not-found", LoadError=NO_UNIT),
            Observation("absent", None, "Unit x.service not found."),
        ),
        (
            state("failed", "failed", LoadState="not-found", LoadError=NO_UNIT),
            Observation("absent", None, "Unit x.service not found."),
        ),
        (
            state("active", "running", LoadState="not-found", LoadError=NO_UNIT, MainPID="9"),
            Observation("up", 9, "active (running)"),
        ),
        (
            state("inactive", "dead", LoadState="masked", LoadError=MASKED),
            Observation("down", None, "Unit x.service is masked."),
        ),
        (
            state("inactive", "dead", LoadState="bad-setting", LoadError=BAD),
            Observation("failed", None, "Unit x.service has a bad unit file setting."),
        ),
        (
            state("inactive", "dead", LoadState="error", LoadError="Invalid argument"),
            Observation("failed", None, "Invalid argument"),
        ),
        (state("maintenance", "dead"), Observation("failed", None, "maintenance (dead)")),
        (state("dreaming", "deeply"), Observation("unknown", None, "dreaming (deeply)")),
        (
            {"Id": "x.socket", "LoadState": "loaded", "ActiveState": "active"},
            Observation("up", None, "active"),
        ),
    ],
    ids=lambda value: value.reason if isinstance(value, Observation) else "",
)
def test_states(properties: dict[str, str], expected: Observation) -> None:
    """Each state of a unit is one observation, in systemd's words."""
    assert observe(properties) == expected


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 20, "१"])
def test_a_number_that_is_none(value: str) -> None:
    """A process ID that is no number is an error that shows it."""
    with pytest.raises(ManagerError, match=f"systemctl printed MainPID={value}"):
        observe(unit(MainPID=value))


def test_parse_show_gives_units_by_all_their_names() -> None:
    """Each block is a unit; it is found by its Id and by every alias, quoted ones too."""
    text = 'Id=a.service\nNames=a.service "b\\\\x20c.service"\nActiveState=active\nResult=a=b\n'
    other = "Id=d.socket\nActiveState=inactive\n"
    a = {
        "Id": "a.service",
        "Names": 'a.service "b\\\\x20c.service"',
        "ActiveState": "active",
        "Result": "a=b",
    }

    assert parse_show(f"{text}\n{other}") == {
        "a.service": a,
        "b\\x20c.service": a,
        "d.socket": {"Id": "d.socket", "ActiveState": "inactive"},
    }
    assert parse_show("") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Id=a.service\nActiveSt", "systemctl printed no property: 'ActiveSt'"),
        ("Id=a.service\n", "systemctl printed no unit: 'Id=a.service\\n'"),
        ("ActiveState=active\n", "systemctl printed no unit: 'ActiveState=active\\n'"),
        (
            'Id=a.service\nActiveState=active\nNames="a\n',
            "systemctl printed Names='\"a': No closing quotation",
        ),
    ],
)
def test_parse_show_shows_what_it_cannot_read(text: str, words: str) -> None:
    """Half an answer, or another one, is an error that shows the place."""
    with pytest.raises(ManagerError) as error:
        parse_show(text)
    assert str(error.value) == words


SHOWN = st.lists(
    st.tuples(st.sampled_from(["Id", "Names", "ActiveState", "SubState", "MainPID"]), st.text())
).map(lambda lines: "\n".join(f"{name}={value}" for name, value in lines))


@given(st.text() | SHOWN | st.lists(SHOWN).map("\n\n".join))
def test_show_gives_observations_or_an_error(text: str) -> None:
    """No text makes anything but observations or a ManagerError."""
    with suppress(ManagerError):
        for properties in parse_show(text).values():
            with suppress(ManagerError):
                assert isinstance(observe(properties), Observation)


def test_parse_list_takes_the_states() -> None:
    """A listed unit is its three states; the description, and a job, are left out."""
    text = "a.service loaded active running A thing\nb.service not-found inactive dead b.service\n"

    assert parse_list(text) == {
        "a.service": "loaded active running",
        "b.service": "not-found inactive dead",
    }
    with pytest.raises(ManagerError, match=r"systemctl listed no unit: 'a.service load'"):
        parse_list("a.service load")


@given(st.text())
def test_list_gives_states_or_an_error(text: str) -> None:
    """No text makes anything but states or a ManagerError."""
    with suppress(ManagerError):
        assert all(states.count(" ") == 2 for states in parse_list(text).values())
