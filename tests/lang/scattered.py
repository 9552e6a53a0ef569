"""Sound files in any layout: words of the whole grammar, and blanks and comments between them."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from inspect_agent.lang.parse import Grammar

GOLDEN = Path(__file__).parent.parent / "golden" / "ok"
PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|#[^\n]*|[(),]|[^\s\ufeff,"()]+', re.DOTALL)
"""Quoted, a comment, a mark, or anything up to the next of them."""

_COLON = re.compile(r"(?<=[^\s,\"()])(?:[ \t]+:[ \t]*|:[ \t]+)(?=[^\s,\"()#])")
_STAND_IN = "\ue000"

Words = st.SearchStrategy[list[str]]


class Scattered(NamedTuple):
    """A text, and what it is made of; comments begin with `#`."""

    grammar: Grammar
    text: str
    pieces: tuple[str, ...]


def _one(*strategies: st.SearchStrategy[str] | Words | str) -> Words:
    """One sequence of words from parts, each of which is a word or gives some."""
    parts = [st.just(part) if isinstance(part, str) else part for part in strategies]
    return st.tuples(*parts).map(
        lambda found: [
            word for part in found for word in (part if isinstance(part, list) else [part])
        ]
    )


def _maybe(words: Words) -> Words:
    return st.just([]) | words


def _listed(words: Words) -> Words:
    """Once or more, with commas."""
    return st.lists(words, min_size=1, max_size=5).map(
        lambda found: [word for part in found for word in (",", *part)][1:]
    )


def _several(words: Words, most: int) -> Words:
    return st.lists(words, max_size=most).map(
        lambda found: [word for part in found for word in part]
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


QUOTED = st.text(alphabet='a é,#\n\t()<>"\\\ufeff', max_size=12).map(_quoted)
# no keyword has an x in it, but for `expose`
BARE = st.text(alphabet="abc5é:/.@*%-_#=", max_size=40).map(lambda text: f"x{text}")
NAME = QUOTED | BARE | st.sampled_from(["for", "then", "and", "or", "host", "alert", "5m"])
ROUTE = QUOTED | BARE
AMOUNT = _one(
    st.sampled_from(["5", "1.5g", "500MB", "20%", "1k/sec", "-3", "+.5"]),
    _maybe(st.sampled_from([["%"], ["kb"], ["minutes"], ["/sec"]])),
)
DURATION = _one("5m") | _one(
    st.sampled_from(["5", "0.5"]), _maybe(st.sampled_from([["minutes"], ["s"], ["D"]]))
)
OP = st.sampled_from([">", "<", ">=", "<=", "==", "!="])

LETTERS = st.text(alphabet="abc/5é", max_size=15)
PARAMS = _one("with", _listed(_one(BARE, NAME)))
COLON = st.sampled_from(["", ":", " : ", "\t:", ": "])
METRIC = (
    _one(
        st.tuples(
            st.just("x"), LETTERS, COLON, st.just("x"), LETTERS, st.sampled_from(["", ":y"])
        ).map("".join)
    )
    | _one(QUOTED)
    | _one(BARE.map(lambda name: re.sub("[#=]", "", name)), "(", QUOTED | BARE, ")")
)
TEST = (
    _one(METRIC, OP, AMOUNT, _maybe(_one("until", OP, AMOUNT)))
    | _one(st.sampled_from(["down", "failed", "restarted", "stale", "outdated"]))
    | _one(METRIC, "fails")
)
HOLD = _one(
    "for",
    _one("2", st.sampled_from(["cycle", "cycles"])) | _one("3", "of", "5", "cycles") | DURATION,
)
ACTION = (
    _one("alert", _maybe(_one(ROUTE)), _maybe(_one("as", "warning")))
    | _one(st.sampled_from(["restart", "reload", "start", "stop"]), _maybe(_one(ROUTE)))
    | _one("signal", ROUTE)
    | _one("run", ROUTE, _maybe(_one("as", ROUTE)))
    | _one("unmonitor")
)
RULE = _one(
    "if",
    TEST,
    _several(_one(st.sampled_from(["and", "or"]), TEST), 3),
    _maybe(HOLD),
    "then",
    _listed(ACTION),
    _maybe(_one("else", _listed(ACTION))),
)
JOB = _one(
    QUOTED | BARE,
    *("happens", "every"),
    _maybe(_one("12")),
    st.sampled_from(["minute", "hours", "days"]),
    _maybe(_one("with", "grace", DURATION)),
)
CHECK = (
    _one("check", "host", _maybe(PARAMS), _several(RULE, 3))
    | _one(
        *("check", "service", NAME),
        _maybe(PARAMS),
        _maybe(_one("expose", _listed(_one(ROUTE)))),
        _several(RULE, 3),
    )
    | _one("check", "probe", NAME, _maybe(PARAMS), _several(RULE, 3))
    | _one("check", "jobs", _maybe(PARAMS), _several(JOB, 3))
)
STATEMENT = _one("set", BARE, NAME) | _one(
    "send", "alerts", _maybe(_one("to", NAME)), "via", BARE, _maybe(PARAMS)
)

_BLANKS = (" ", "  ", "\n", "\n\n\n", "\n    ", "\t", "\n\t\t", "\ufeff", "\x0c", "\u2028")
_COMMENT = st.text(alphabet='x #"\t,(é\ufeff', max_size=12).map(lambda text: f"#{text}")
_GAP = st.lists(st.sampled_from(_BLANKS) | _COMMENT, max_size=4)


@st.composite
def _scattered(draw: st.DrawFn, grammar: Grammar, words: Words) -> Scattered:
    """These words, of which some may be comments, with blanks and more comments between them."""
    number = count()
    text, pieces = "", []
    for word in [*draw(words), ""]:
        gap = draw(_GAP)
        tight = not text or word in ",()" or text[-1] in ",()"
        for blank in gap if gap or tight else [" "]:
            if blank.startswith("#"):
                comment = f"#{next(number)}{blank}"
                pieces.append(comment.rstrip())
                text += f" {comment}\n"
            else:
                text += blank
        if not tight and not text[-1].isspace() and text[-1] != "\ufeff":
            text += " "
        text += f" {word}\n" if word.startswith("#") else word
        pieces += [word.rstrip()] if word else []
    return Scattered(grammar, text, tuple(pieces))


def _golden(suffix: str) -> Words:
    texts = [path.read_text("utf-8") for path in sorted(GOLDEN.glob(f"*{suffix}"))]
    return st.sampled_from([_cut(text) for text in texts])


def _cut(text: str) -> list[str]:
    """The pieces of a text; what stands around a metric's colon is one of them."""
    whole = _COLON.sub(lambda blanks: blanks[0].replace(" ", _STAND_IN), text)
    return [piece.replace(_STAND_IN, " ") for piece in PIECE.findall(whole)]


FILES: st.SearchStrategy[Scattered] = (
    _scattered("inq", _several(CHECK, 4))
    | _scattered("conf", _several(STATEMENT, 5))
    | _scattered("inq", _golden(".inq"))
    | _scattered("conf", _golden(".conf"))
)
