"""Files of Inspeqtor's that this version refuses: what is to come, and what is no more on purpose.

A release that brings a word of `LATER` moves its file to the others, with the meaning it has then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from inspect_agent.lang.problems import render
from tests.inspeqtor.moving import CORPUS, first_lines, moved

LATER: Mapping[str, Sequence[str]] = {
    "services.d/expose.inq": ["2:10: not in this version: expose"],
    "services.d/expose_and_rules.inq": [
        "1:24: not in this version: the parameter port",
        "1:35: not in this version: the parameter endpoint",
        "2:10: not in this version: expose",
    ],
    "services.d/mysql.inq": [
        "1:26: not in this version: the parameter username",
        "1:41: not in this version: the parameter password",
        "1:57: not in this version: the parameter socket",
        "2:6: not in this version: the metrics of mysql",
        "3:6: not in this version: the metrics of mysql",
        "4:6: not in this version: the metrics of mysql",
    ],
    "services.d/redis.inq": [
        "1:26: not in this version: the parameter hostname",
        "1:46: not in this version: the parameter port",
        "1:57: not in this version: the parameter password",
        "2:6: not in this version: the metrics of redis",
        "3:6: not in this version: the metrics of redis",
    ],
    "services.d/memcached.inq": [
        "1:30: not in this version: the parameter hostname",
        "1:50: not in this version: the parameter port",
        "2:6: not in this version: the metrics of memcached",
    ],
    "services.d/nginx.inq": [
        "1:26: not in this version: the parameter endpoint",
        "1:50: not in this version: the parameter port",
        "2:6: not in this version: the metrics of nginx",
    ],
    "services.d/postgresql.inq": [
        "1:31: not in this version: the parameter username",
        "2:6: not in this version: the metrics of postgresql",
        "3:6: not in this version: the metrics of postgresql",
    ],
    "jobs.d/jobs.inq": ["1:1: not in this version: check jobs"],
    "jobs.d/jobs_with_owner.inq": ["1:1: not in this version: check jobs"],
    "inspeqtor.conf": ["1:17: not in this version: the channel slack"],
}
"""The problems of corpus/later, each at its place below the folder."""

ON_PURPOSE: Mapping[str, Sequence[str]] = {
    "services.d/unknown_parameter.inq": ["1:35: unknown parameter colour"],
    "services.d/parameter_twice.inq": ["1:35: owner is given twice"],
    "services.d/unknown_metric.inq": [
        "2:6: unknown metric memory:resident",
        "3:6: unknown metric disc:/",
    ],
    "services.d/unit_that_does_not_fit.inq": [
        "2:17: the unit k of 2k does not fit",
        "3:19: 5m/sec is a rate, and the metric is no counter",
    ],
    "services.d/signs.inq": ["2:19: +5m is not an amount", "3:17: -1 is not an amount"],
    "services.d/no_cycles.inq": ["2:26: 0 is out of range"],
    "services.d/route_called_as.inq": ["2:35: info, warning or critical is missing here"],
    "host.inq": ["2:13: unexpected =b"],
    "inspeqtor.conf": ["1:75: unknown parameter subject"],
}
"""The problems of corpus/on_purpose; docs/inspeqtor.md says what they are good for."""


def refused(folder: Path, kind: str, place: str) -> list[str]:
    """The problems of a corpus file at its place; nothing of it may be loaded."""
    compiled = moved(folder, {place: CORPUS / kind / place})
    assert compiled.config is None
    return [line.removeprefix(f"{place}:") for line in first_lines(compiled.problems)]


@pytest.mark.parametrize("place", LATER)
def test_what_is_to_come(tmp_path: Path, place: str) -> None:
    """A word of Inspeqtor's that this version lacks is told as such, and nothing else is."""
    assert refused(tmp_path, "later", place) == LATER[place]


@pytest.mark.parametrize("place", ON_PURPOSE)
def test_what_is_refused_on_purpose(tmp_path: Path, place: str) -> None:
    """What Inspeqtor passes over in silence is a mistake here, told with its place."""
    assert refused(tmp_path, "on_purpose", place) == ON_PURPOSE[place]


def test_two_checks_of_one_service(tmp_path: Path) -> None:
    """Inspeqtor watches it twice; here it is a mistake that names both places."""
    plain = CORPUS / "service/plain.inq"
    compiled = moved(tmp_path, {"services.d/a.inq": plain, "services.d/b.inq": plain})
    assert compiled.config is None
    (problem,) = compiled.problems
    assert render(problem) == (
        "services.d/b.inq:1:15: the service cron is checked twice\n"
        "    check service cron\n"
        "                  ^\n"
        "    first at services.d/a.inq:1"
    )


def test_every_file_is_looked_at() -> None:
    """The tables above name each file of their folders."""
    assert (files("later"), files("on_purpose")) == (set(LATER), set(ON_PURPOSE))


def files(kind: str) -> set[str]:
    """The places of a corpus folder's files."""
    folder = CORPUS / kind
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
