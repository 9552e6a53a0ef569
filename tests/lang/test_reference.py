"""What can be measured, made of what families declare."""

from __future__ import annotations

import pytest

from inspect_agent.lang.compile import Reading, compile_texts
from inspect_agent.lang.files import Text, Texts
from inspect_agent.lang.planned import PLANNED
from inspect_agent.lang.problems import Wrong, nearest, render
from inspect_agent.lang.reference import Entry, Section, sections, select
from inspect_agent.lang.report import Findings
from inspect_agent.lang.vocabulary import Vocabulary, installed
from inspect_agent.model.metric import Family, Kind, Metric, Param, Unit
from tests.lang.words import VOCABULARY

PLANNED_FAMILY = PLANNED["family"][0]
CONF = Text("inspect.conf", "send alerts via log\n")


def faults(section: Section, entry: Entry, vocabulary: Vocabulary) -> list[str]:
    """What the compiler says of an example."""
    texts = Texts(CONF, (Text("a.inq", f"{section.check}\n  {entry.rule}\n"),))
    made = compile_texts(Reading(texts, lambda path: Wrong("no files"), Findings()), vocabulary)
    return [render(problem) for problem in (*made.problems, *made.warnings)]


@pytest.mark.parametrize("vocabulary", [installed(), VOCABULARY], ids=["installed", "made up"])
def test_every_example_compiles(vocabulary: Vocabulary) -> None:
    """Each rule that is shown, below the check that is shown, has neither error nor warning."""
    found = sections(vocabulary.families.values())
    assert [section.family for section in found if not section.entries] == []
    assert [
        fault
        for section in found
        for entry in section.entries
        for fault in faults(section, entry, vocabulary)
    ] == []


def only(family: Family) -> Section:
    """The section of one family."""
    (section,) = sections([family])
    return section


@pytest.mark.parametrize(
    ("unit", "kind", "suffixes", "rule"),
    [
        ("bytes", "gauge", "b k m g t p %", "if x:y > 500m then alert"),
        ("bytes", "counter", "b k m g t p %", "if x:y > 500m/sec for 2 cycles then alert"),
        ("percent", "gauge", "%", "if x:y > 90% then alert"),
        ("percent", "usage", "%", "if x:y > 90% for 2 cycles then alert"),
        ("seconds", "gauge", "s m h d", "if x:y > 1m then alert"),
        ("count", "gauge", "k m g", "if x:y > 100 then alert"),
        ("count", "counter", "k m g", "if x:y > 100/sec for 2 cycles then alert"),
        ("number", "gauge", "", "if x:y > 10 then alert"),
    ],
)
def test_units_and_kinds(unit: Unit, kind: Kind, suffixes: str, rule: str) -> None:
    """A metric has the suffixes of its unit, and a rule that fits its unit and kind."""
    metric = Metric("y", unit, kind, "something")
    (entry,) = only(Family("x", "host", (metric,))).entries
    assert entry == Entry("x:y", metric, False, tuple(suffixes.split()), rule)


@pytest.mark.parametrize(
    ("metric", "rule"),
    [
        (Metric("", "percent", "gauge", "", most=100.0), "if x > 90% then alert"),
        (Metric("", "count", "gauge", "", most=1.0), "if x > 0 then alert"),
        (Metric("", "count", "gauge", "", most=1.0, low=True), "if x < 1 then alert"),
        (Metric("", "bytes", "gauge", "", low=True), "if x < 500m then alert"),
        (Metric("", "seconds", "gauge", "", noisy=True), "if x > 1m for 2 cycles then alert"),
        (Metric("a b", "number", "gauge", ""), 'if "x:a b" > 10 then alert'),
    ],
)
def test_rules_that_make_sense(metric: Metric, rule: str) -> None:
    """A rule can trip, on the bad side, with a hold where one sample says little."""
    (entry,) = only(Family("x", "host", (metric,))).entries
    assert entry.rule == rule


def test_names_from_the_machine() -> None:
    """One entry stands for them, called as the declaration calls them."""
    used = Metric("", "percent", "gauge", "used")
    for name, written in (("", "disk:NAME"), ("MOUNT", "disk:MOUNT")):
        family = Family("disk", "host", (used,), any_name=used._replace(name=name))
        entries = only(family).entries
        assert [(entry.written, entry.any_name) for entry in entries] == [
            ("disk", False),
            (written, True),
        ]


def test_a_check_with_what_is_required() -> None:
    """A family's check has the parameters that have to be given, each with a value of its kind."""
    params = (
        Param("a", "text", "", required=True),
        Param("b", "port", ""),
        Param("c", "choice", "", required=True, choices=("x", "y")),
    )
    checks = [
        only(Family("m", "host", (), params=params)).check,
        only(Family("m", "service", (), params=params[:1])).check,
        only(Family("m", "probe", (), params=params[1:2])).check,
    ]
    assert checks == [
        "check host with a TEXT, c x",
        "check service NAME with a TEXT",
        "check probe NAME",
    ]


def test_sections_are_in_the_order_of_scopes() -> None:
    """The machine's come first, then those of services, then those of probes."""
    families = [Family(name, "service", ()) for name in "ab"] + [Family("c", "host", ())]
    assert [section.family.name for section in sections(families)] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("word", "metrics"),
    [
        ("host", "cpu cpu:iowait load:1 load:5 load:15 swap memory:free disk:NAME uptime"),
        ("memory", "memory:free memory:rss memory:total_rss"),
        ("memory:rss", "memory:rss"),
        ("cpu", "cpu cpu:iowait cpu:user cpu:system"),
        ("disk:/var", "disk:/var"),
        ("probe", "http:seconds http:status tls:days"),
    ],
)
def test_what_a_word_selects(word: str, metrics: str) -> None:
    """A scope selects its families, a family all it has anywhere, a metric itself alone."""
    families = select(word, VOCABULARY)
    assert not isinstance(families, Wrong)
    entries = [entry for section in sections(families) for entry in section.entries]
    assert [entry.written for entry in entries] == metrics.split()


def test_no_word_selects_all() -> None:
    """Nothing said is everything meant."""
    assert select("", VOCABULARY) == tuple(VOCABULARY.families.values())


@pytest.mark.parametrize(
    ("word", "message", "guess"),
    [
        ("memroy", "unknown family {}", "memory"),
        ("serivce", "unknown family {}", "service"),
        ("memory:rsss", "unknown metric {}", "memory:rss"),
        ("memory:", "unknown metric {}", "memory"),
        (":rss", "unknown metric {}", ""),
        ("xyzzy", "unknown family {}", ""),
        (PLANNED_FAMILY, f"not in this version: the metrics of {PLANNED_FAMILY}", ""),
        (f"{PLANNED_FAMILY}:x", f"not in this version: the metrics of {PLANNED_FAMILY}", ""),
    ],
)
def test_words_that_select_nothing(word: str, message: str, guess: str) -> None:
    """What is unknown has a guess where something looks like it; what is to come is told so."""
    wrong = select(word, VOCABULARY)
    assert isinstance(wrong, Wrong)
    assert (wrong.message, nearest(wrong.near) if wrong.near else "") == (message, guess)


def test_a_scope_without_families() -> None:
    """Where there is nothing to measure yet, that is said."""
    vocabulary = VOCABULARY._replace(families={})
    assert select("probe", vocabulary) == Wrong("not in this version: the metrics of a probe")
    assert select("", vocabulary) == ()
