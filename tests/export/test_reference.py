"""What can be measured, as text, as JSON and as a page."""

from __future__ import annotations

import json

from inspect_agent.export.reference import as_json, details, overview
from inspect_agent.export.reference_page import page
from inspect_agent.lang.reference import Section, sections
from inspect_agent.model.metric import Family, Metric, Param

FAMILIES = (
    Family(
        "mysql",
        "service",
        (
            Metric("Queries", "count", "counter", "queries that were asked"),
            Metric("age", "seconds", "gauge", "since the last backup", noisy=True),
        ),
        params=(
            Param("username", "text", "who asks", required=True),
            Param("port", "port", "where it listens", default="3306"),
            Param("tls", "choice", "never|always", choices=("no", "yes"), many=True),
        ),
        help="what a MySQL server counts",
        origin="SHOW GLOBAL STATUS",
    ),
    Family(
        "disk",
        "host",
        (),
        Metric("MOUNT", "percent", "gauge", "space in use", 100.0),
        help="how full file systems are",
        origin="statvfs(2)",
    ),
)
OVERVIEW = """\
check host
  disk: how full file systems are
    disk:MOUNT     percent %        gauge    space in use

check service
  mysql: what a MySQL server counts
    mysql:Queries  count k m g      counter  queries that were asked
    mysql:age      seconds s m h d  gauge    since the last backup

gauge    compared as it is
counter  compared by its growth in the last cycle, or per second where /sec is written
% of bytes is a share of the memory
`inspectctl metrics FAMILY` tells more, as does `inspectctl metrics memory:rss`
"""
DETAILS = """\
check host
  disk: how full file systems are
  from statvfs(2)

  disk:MOUNT
    space in use
    percent %
    gauge: compared as it is
    at most 100%
    if disk:MOUNT > 90% then alert

check service NAME with username TEXT
  mysql: what a MySQL server counts
  from SHOW GLOBAL STATUS
  with username  text, required: who asks
  with port      port, default 3306: where it listens
  with tls       no or yes, several: never|always

  mysql:Queries
    queries that were asked
    count k m g
    counter: compared by its growth in the last cycle, or per second where /sec is written
    if mysql:Queries > 100/sec for 2 cycles then alert

  mysql:age
    since the last backup
    seconds s m h d
    gauge: compared as it is
    it jumps: a single sample says little
    if mysql:age > 1m for 2 cycles then alert
"""
PAGE = r"""
| kind | is |
|---|---|
| gauge | compared as it is |
| counter | compared by its growth in the last cycle, or per second where /sec is written |

| unit | suffixes |
|---|---|
| percent | `%` |
| count | `k` `m` `g` |
| seconds | `s` `m` `h` `d` |

Suffixes may also be written out (`kb`, `minutes`). % of bytes is a share of the memory.

## check host

### disk: how full file systems are

From statvfs(2).

| metric | unit | kind | what it is |
|---|---|---|---|
| `disk:MOUNT` | percent | gauge | space in use; at most 100% |

    check host
      if disk:MOUNT > 90% then alert

## check service

### mysql: what a MySQL server counts

From SHOW GLOBAL STATUS.

| metric | unit | kind | what it is |
|---|---|---|---|
| `mysql:Queries` | count | counter | queries that were asked |
| `mysql:age` | seconds | gauge | since the last backup; it jumps: a single sample says little |

| parameter | value | what it is |
|---|---|---|
| `username` | text, required | who asks |
| `port` | port, default 3306 | where it listens |
| `tls` | no or yes, several | never\|always |

    check service NAME with username TEXT
      if mysql:Queries > 100/sec for 2 cycles then alert
"""


def made() -> tuple[Section, ...]:
    """Their sections: the machine's come first."""
    return sections(FAMILIES)


def test_the_overview() -> None:
    """A line for each metric, below its family and its check; then what the words mean."""
    assert overview(made()) == OVERVIEW


def test_nothing_to_show() -> None:
    """Where no source could be loaded the overview is short."""
    assert overview(()).splitlines()[0] == "% of bytes is a share of the memory"


def test_the_details() -> None:
    """All that is declared, with a rule for each metric."""
    assert details(made()) == DETAILS


def test_the_page() -> None:
    """The same as tables; what is a bar in a text is none of the table's."""
    assert page(made()).partition("\n\n|")[2] == PAGE[2:]


def test_json() -> None:
    """An editor gets every declaration, and what follows from it."""
    (disk, mysql) = json.loads(as_json(made()))["families"]
    assert disk == {
        "scope": "host",
        "family": "disk",
        "help": "how full file systems are",
        "origin": "statvfs(2)",
        "check": "check host",
        "params": [],
        "metrics": [
            {
                "metric": "disk:MOUNT",
                "any_name": True,
                "name": "MOUNT",
                "unit": "percent",
                "kind": "gauge",
                "help": "space in use",
                "most": 100.0,
                "noisy": False,
                "low": False,
                "suffixes": ["%"],
                "rule": "if disk:MOUNT > 90% then alert",
            }
        ],
    }
    assert mysql["check"] == "check service NAME with username TEXT"
    assert [param["name"] for param in mysql["params"]] == ["username", "port", "tls"]
    assert mysql["params"][2] == {
        "name": "tls",
        "kind": "choice",
        "help": "never|always",
        "required": False,
        "choices": ["no", "yes"],
        "many": True,
        "default": "",
    }
    assert [metric["most"] for metric in mysql["metrics"]] == [None, None]
