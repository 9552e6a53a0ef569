"""One layout for every file, and no other meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from inspect_agent.lang import format as format_
from inspect_agent.lang import parse
from inspect_agent.lang.compile import Compiled
from inspect_agent.lang.files import MOST_BYTES
from inspect_agent.lang.format import formatted
from inspect_agent.lang.parse import Grammar
from inspect_agent.lang.problems import render
from inspect_agent.lang.report import Findings, Report
from tests.lang.compiling import ROUTES, as_json, compiled, problems
from tests.lang.scattered import FILES, GOLDEN, PIECE, Scattered

ROOT = Path(__file__).parent.parent.parent


def laid(text: str, grammar: Grammar = "inq") -> str:
    """A sound text laid out."""
    made, said = tried(text, grammar)
    assert made is not None, said
    return made


def tried(text: str, grammar: Grammar = "inq") -> tuple[str | None, list[str]]:
    """A text laid out, or its problems."""
    findings = Findings()
    made = formatted(grammar, text, Report("x.inq", text, findings))
    return made, [render(problem) for problem in findings.errors]


def meaning(text: str, grammar: Grammar) -> str:
    """What a text says, without places."""
    report = Report("x", text, Findings())
    said = repr(parse.inq(text, report) if grammar == "inq" else parse.conf(text, report))
    assert not report.errors
    said = re.sub(r"line=\d+, column=\d+", "", said)
    return re.sub(r"(Metric\(word=Word\(text='[^ ':\\]+)(?: |\\t)*:(?: |\\t)*", r"\1:", said)


STATEMENTS = {
    "nothing": ("", ""),
    "only blanks": ("\ufeff \n\t\n \n", ""),
    "host": ("check   host", "check host\n"),
    "service": ('check\nservice\t"a  b"', 'check service "a  b"\n'),
    "probe": ("check probe p\nwith url\n\nx", "check probe p with url x\n"),
    "params": (
        'check service x with a b ,c"d",e f',
        'check service x with a b, c "d", e f\n',
    ),
    "expose": ('check service x expose a ,"b c"', 'check service x expose a, "b c"\n'),
    "jobs": (
        "check jobs with a b sync happens every 2 hours\nwith grace 5 minutes\n"
        '"a b"\nhappens every day',
        "check jobs with a b\n"
        "  sync happens every 2 hours with grace 5 minutes\n"
        '  "a b" happens every day\n',
    ),
    "tests": (
        "check host if a>5 and b:c <= 3 days until>=2.5/sec\nor down and c fails\nthen alert",
        "check host\n"
        "  if a > 5 and b:c <= 3 days until >= 2.5/sec or down and c fails then alert\n",
    ),
    "brackets": (
        'check host if memory ( rss )>5 % then alert if "a"("b c")==1 then alert',
        'check host\n  if memory(rss) > 5 % then alert\n  if "a"("b c") == 1 then alert\n',
    ),
    "colons": (
        'check host if memory :\t rss>5 or a:b fails or "a : b" > 5 then alert',
        'check host\n  if memory:rss > 5 or a:b fails or "a : b" > 5 then alert\n',
    ),
    "holds": (
        "check host if a > 5\nfor 2\ncycles then alert if a > 5 for 1 of\n2 cycle then alert"
        " if a > 5 for 5m then alert if a > 5 for 5\tminutes then alert",
        "check host\n"
        "  if a > 5 for 2 cycles then alert\n"
        "  if a > 5 for 1 of 2 cycle then alert\n"
        "  if a > 5 for 5m then alert\n"
        "  if a > 5 for 5 minutes then alert\n",
    ),
    "actions": (
        "check host if down then alert,alert ops,alert as info ,alert ops as\nwarning, restart,\n"
        'reload x ,start"y z",stop,signal TSTP,run "a  b" as me,run c,unmonitor\n\nelse\n\nalert',
        "check host\n"
        "  if down\n"
        "      then alert, alert ops, alert as info, alert ops as warning, restart, reload x,"
        ' start "y z",\n      stop, signal TSTP, run "a  b" as me, run c, unmonitor\n'
        "      else alert\n",
    ),
    "words stay": (
        'check service check with A 1KB, b "\t\\" \\\\ \n  x\u2028", c pa#ss\n'
        "if Memory:RSS > 500MB then alert",
        'check service check with A 1KB, b "\t\\" \\\\ \n  x\u2028", c pa#ss\n'
        "  if Memory:RSS > 500MB then alert\n",
    ),
    "one empty line between checks": (
        "check host\ncheck service a\n  if down then alert\ncheck service b\n\n\n\ncheck service c",
        "check host\n\ncheck service a\n  if down then alert\n\ncheck service b\n\n"
        "check service c\n",
    ),
    "at most one elsewhere": (
        "\n\ncheck host\n\n\n\n  if down then alert\n \t\n  \n\n  if down then alert\n"
        "  if down\n\n\nthen alert\n\n\n",
        "check host\n\n  if down then alert\n\n  if down then alert\n  if down then alert\n",
    ),
    "other blanks": (
        "check\u2028host\u00a0if\x0cdown\x0bthen\u3000alert",
        "check host\n  if down then alert\n",
    ),
}
WIDE = "a" * 60
LONG = {
    "just fits": (
        f"check host if {WIDE} > 1{'0' * 13} then alert, alert",
        f"check host\n  if {WIDE} > 1{'0' * 13} then alert, alert\n",
    ),
    "one column more": (
        f"check host if {WIDE} > 1{'0' * 14} then alert, alert",
        f"check host\n  if {WIDE} > 1{'0' * 14}\n      then alert, alert\n",
    ),
    "every clause": (
        f"check service x with a {WIDE}, b c expose {WIDE} if down for 2 cycles"
        f" then alert {WIDE} else alert {WIDE}",
        f"check service x\n    with a {WIDE}, b c\n    expose {WIDE}\n"
        f"  if down for 2 cycles\n      then alert {WIDE}\n      else alert {WIDE}\n",
    ),
    "conditions": (
        f"check host if {WIDE} > 1 and {WIDE} < 2 or b > 1 for 2 cycles then alert",
        f"check host\n  if {WIDE} > 1\n      and {WIDE} < 2 or b > 1 for 2 cycles\n"
        "      then alert\n",
    ),
    "hold": (
        f"check host if {WIDE} > 1 and {'b' * 20} > 1 for 20 cycles then alert",
        f"check host\n  if {WIDE} > 1 and {'b' * 20} > 1\n      for 20 cycles\n      then alert\n",
    ),
    "lists": (
        f"check service x with a {WIDE}, b {WIDE}, c d expose {WIDE}, {WIDE}, e",
        f"check service x\n    with a {WIDE},\n    b {WIDE}, c d\n"
        f"    expose {WIDE},\n    {WIDE}, e\n",
    ),
    "jobs": (
        f"check jobs {WIDE}{WIDE} happens every day with grace 5m",
        f"check jobs\n  {WIDE}{WIDE} happens every day\n      with grace 5m\n",
    ),
    "what cannot be cut": (
        f"check service {WIDE}{WIDE} with a b if {WIDE}{WIDE} > 1 then run {WIDE}{WIDE} as me",
        f"check service {WIDE}{WIDE}\n    with a b\n  if {WIDE}{WIDE} > 1\n"
        f"      then run {WIDE}{WIDE} as me\n",
    ),
    "quoted over lines": (
        f'check service x with a "{WIDE}\n{WIDE}", b c, d "{WIDE}{WIDE}\n", e f',
        f'check service x\n    with a "{WIDE}\n{WIDE}", b c,\n    d "{WIDE}{WIDE}\n",\n    e f\n',
    ),
    "comments do not count": (
        f"check host if down then alert {WIDE} # {WIDE}",
        f"check host\n  if down then alert {WIDE}  # {WIDE}\n",
    ),
}
COMMENTS = {
    "nothing else": ("#a \t\n\n\n\n  #b", "#a\n\n#b\n"),
    "above a check": (
        "# 1\n\n\n# 2\ncheck host\n  if down then alert\n# 3\n# 4\n\ncheck service x # 5",
        "# 1\n\n# 2\ncheck host\n  if down then alert\n\n# 3\n# 4\n\ncheck service x  # 5\n",
    ),
    "above a rule": (
        "check host\n# 1\n\n\n    # 2\nif down then alert\n#3\n    if down then alert",
        "check host\n  # 1\n\n  # 2\n  if down then alert\n  #3\n  if down then alert\n",
    ),
    "above a job": (
        "check jobs\n# 1\nx happens every day",
        "check jobs\n  # 1\n  x happens every day\n",
    ),
    "below a rule": (
        "check host\n  if down then alert\n  # 1\n\n\n    # 2\n# 3\n  # 4\ncheck service x\n  #5",
        "check host\n  if down then alert\n  # 1\n\n  # 2\n\n# 3\n# 4\ncheck service x\n  #5\n",
    ),
    "below all of it": (
        "check host\n  if down then alert\n  # 1\n# 2\n  # 3",
        "check host\n  if down then alert\n  # 1\n\n# 2\n# 3\n",
    ),
    "in a text that is indented": (
        "\tcheck host\n\t\tif down then alert\n        # 1\n\tcheck service x\n\t# 2\n\t\t# 3",
        "check host\n  if down then alert\n\n# 1\ncheck service x\n\n# 2\n# 3\n",
    ),
    "behind marks that have no width": (
        "check host\n  # 1\n\ufeff check service x\n\ufeff\ufeff\ufeff # 2",
        "check host\n  # 1\n\ncheck service x\n\n# 2\n",
    ),
    "below a first line that is indented": ("\tcheck host\n    # 1", "check host\n\n# 1\n"),
    "at the end of a line": (
        "check host # 1\n  # 2\nif down then alert # 3 \nif down then alert\t\t\t# 4",
        "check host  # 1\n  # 2\n  if down then alert  # 3\n  if down then alert  # 4\n",
    ),
    "inside of a statement": (
        "check service x # 1\nwith a b, # 2\n\n   # 3\n\nc d # 4\nif # 5\ndown # 6\nthen # 7\nalert"
        " # 8\n , # 9\nrestart, reload",
        "check service x  # 1\n"
        "    with a b,  # 2\n"
        "    # 3\n"
        "    c d  # 4\n"
        "  if  # 5\n"
        "      down  # 6\n"
        "      then  # 7\n"
        "      alert,  # 8\n"
        "      # 9\n"
        "      restart, reload\n",
    ),
    "inside of brackets": (
        "check host if memory # 1\n( # 2\n rss # 3\n\n# 4\n)>5 then alert",
        "check host\n"
        "  if memory(rss)  # 1\n"
        "      # 2\n"
        "      # 3\n"
        "      # 4\n"
        "      > 5\n"
        "      then alert\n",
    ),
    "that look like statements": (
        "# check host\ncheck host\n  # if down then alert\n  #\n  if down then alert #restart",
        "# check host\ncheck host\n  # if down then alert\n  #\n  if down then alert  #restart\n",
    ),
    "with tabs": ("check host #\ta\tb\t", "check host  #\ta\tb\n"),
}
CONFS = {
    "settings": (
        '  set a   b set c"d"\n\n\n\n# 1\n\tset e f<g> # 2\n  # 3',
        'set a b\nset c "d"\n\n# 1\nset e f<g>  # 2\n# 3\n',
    ),
    "routes": (
        'send alerts via log\nsend\nalerts to"a b"via email with a b,c d',
        'send alerts via log\nsend alerts to "a b" via email with a b, c d\n',
    ),
    "long": (
        f"send alerts via email with a {WIDE}, b c, d {WIDE}",
        f"send alerts via email\n    with a {WIDE}, b c,\n    d {WIDE}\n",
    ),
    "comments inside": (
        "send # 1\nalerts via log with a b # 2\n,\n# 3\nc d",
        "send  # 1\n    alerts via log\n    with a b,  # 2\n    # 3\n    c d\n",
    ),
    "nothing else": ("\n\n # a\n#b", "# a\n#b\n"),
}


@pytest.mark.parametrize("name", STATEMENTS | LONG | COMMENTS)
def test_inq(name: str) -> None:
    """A rule file is laid out like this; once that is done, nothing is left to do."""
    before, after = (STATEMENTS | LONG | COMMENTS)[name]
    assert laid(before) == after
    assert laid(after) == after


@pytest.mark.parametrize("name", CONFS)
def test_conf(name: str) -> None:
    """inspect.conf is laid out like this; once that is done, nothing is left to do."""
    before, after = CONFS[name]
    assert laid(before, "conf") == after
    assert laid(after, "conf") == after


def test_a_keyword_as_a_name_breaks_no_line() -> None:
    """`with`, `then` and the others break lines only where they are keywords."""
    names = [f"{'x' * 20} {word}" for word in ("with", "then", "for", "and", "expose")]
    assert laid(f"check service else with {', '.join(names)}").split("\n") == [
        "check service else",
        f"    with {names[0]}, {names[1]}, {names[2]},",
        f"    {names[3]}, {names[4]}",
        "",
    ]


@given(FILES)
@settings(max_examples=300)
def test_any_layout(file: Scattered) -> None:
    """Words and comments stay as they are and in their order, the meaning too; twice is once."""
    _check(file)


@pytest.mark.acceptance
@pytest.mark.timeout(6000)
@given(FILES)
@settings(max_examples=20_000)
def test_any_layout_for_long(file: Scattered) -> None:
    """The same for minutes."""
    _check(file)


def _check(file: Scattered) -> None:
    made = laid(file.text, file.grammar)
    assert laid(made, file.grammar) == made
    assert meaning(made, file.grammar) == meaning(file.text, file.grammar)
    found = [piece.rstrip() for piece in PIECE.findall(made)]
    assert _comments(found) == _comments(file.pieces)
    assert _words(found) == _words(file.pieces)
    _check_blanks(made)


def _comments(pieces: list[str] | tuple[str, ...]) -> list[str]:
    return [piece for piece in pieces if piece.startswith("#")]


def _words(pieces: list[str] | tuple[str, ...]) -> str:
    """One text, since `a>5` becomes three words and `memory : rss` one."""
    words = (piece for piece in pieces if not piece.startswith("#"))
    return "".join(word if word[0] == '"' else re.sub(r"\s", "", word) for word in words)


def _check_blanks(made: str) -> None:
    """What holds for white space outside of quotes and comments."""
    plain = PIECE.sub(lambda piece: piece[0] if piece[0][0] not in '"#' else piece[0][0], made)
    assert re.fullmatch(r"((?: {4}|(?: {6})|(?: {2})|)\S.*(?<! )\n(?:\n(?!\Z))?)*", plain)
    assert not re.search(r"[^\S \n]|\ufeff|\S {3}|[^ \n] {2}[^ #]|\( | [),]", plain)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.inq")), ids=lambda path: path.stem)
def test_what_is_compiled_stays(path: Path) -> None:
    """The golden files mean the same to the compiler when they are laid out."""
    confs = path.with_suffix(".conf")
    file = "inspeqtor.conf" if path.stem.startswith("inspeqtor") else "inspect.conf"
    rules, conf = path.read_text("utf-8"), confs.read_text("utf-8") if confs.exists() else ""
    before = compiled(rules, conf=conf or ROUTES, file=file)
    after = compiled(laid(rules), conf=laid(conf, "conf") or ROUTES, file=file)
    assert _placeless(after) == _placeless(before)


def _placeless(made: Compiled) -> tuple[str, int]:
    assert made.config is not None, problems(made)
    plain = as_json(made.config._replace(warnings=()))
    return re.sub(r"\b(a\.inq):\d+", r"\1", plain), len(made.warnings)


def test_mistakes() -> None:
    """What cannot be parsed has no layout, and its problems are the compiler's, all of them."""
    text = "check host\n  if swap > then alert\n  if swap 5 then alert\n"
    findings = Findings()
    parse.inq(text, Report("x.inq", text, findings))
    assert tried(text) == (None, [render(problem) for problem in findings.errors])
    assert len(findings.errors) == 2


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("check service x", "check service y\n"),
        ("check service x", "check service\n"),
        ('check service "x"', "check service x\n"),
        ("check host if a > 5 for 2 cycles then alert", "check host if a > 5 for 2 then alert\n"),
        ("check host if a : b > 5 then alert", "check host if a:c > 5 then alert\n"),
        ("# a\n\n", ""),
    ],
)
def test_a_layout_with_another_meaning(
    text: str, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused as a mistake of ours."""
    monkeypatch.setattr(format_, "layout", lambda lexemes: made)
    assert tried(text) == (
        None,
        [
            "x.inq: left as it is: in another layout it would mean something else\n"
            "    this is a mistake of inspectctl; please report it, with the file"
        ],
    )


def test_a_layout_without_its_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment that would be lost, doubled or moved before another is a mistake of ours, too."""
    source = "check host  # a\n# b\n"
    for made in ("check host  # a\n", "# b\ncheck host  # a\n", "check host  # a\n# b\n# b\n"):
        monkeypatch.setattr(format_, "layout", lambda lexemes, made=made: made)
        assert tried(source)[0] is None


def test_a_layout_that_is_too_large() -> None:
    """A file that would pass what the agent reads stays as it is."""
    text = "check host if\n" + "#\n" * 150_000 + "down then alert"
    assert len(text) < MOST_BYTES
    assert tried(text) == (
        None,
        ["x.inq: left as it is: laid out it would be too large, more than 1024 KiB"],
    )


def test_large_files() -> None:
    """As many rules as a file can hold, and as long a line."""
    rule = "  if memory:rss > 500m for 2 cycles then restart, alert\n"
    text = "check service x\n" + rule * 16_000
    assert laid(text.replace(" > ", "\t>\n")) == text
    action = f'run "{"x" * 90}"'
    text = f"check host if down then {', '.join([action] * 10_000)}"
    assert laid(text).split("\n") == [
        *("check host", "  if down", f"      then {action},"),
        *[f"      {action},"] * 9_998,
        *(f"      {action}", ""),
    ]


def test_the_documentation_is_laid_out() -> None:
    """docs/language.md shows the layout as it is."""
    page = (ROOT / "docs" / "language.md").read_text("utf-8").partition("\n## Layout\n")[2]
    (block,) = re.findall(r"((?:^    .*\n|^\n(?=    ))+)\n- `check`", page, re.MULTILINE)
    shown = re.sub(r"^    ", "", block, flags=re.MULTILINE).lstrip("\n")
    assert shown.startswith("# ")
    assert laid(shown) == shown
