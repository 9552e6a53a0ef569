"""tests/golden: ok/NAME.inq means ok/NAME.json; bad/NAME.inq has the problems of bad/NAME.txt;
warned/NAME.inq is legal, and has the warnings of warned/NAME.txt and no others.

NAME.conf, where there is one, is the inspect.conf of the case (an inspeqtor.conf where the name
starts with `inspeqtor`); the others have routes `ops` and `boss`. To accept what has changed, run

    GOLDEN=accept .venv/bin/pytest tests/lang/test_golden.py

and read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inspect_agent.lang.compile import Compiled, Reading, compile_texts
from inspect_agent.lang.files import Text, Texts
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.report import Findings
from tests.lang.compiling import ROUTES, as_json, of_rules, problems
from tests.lang.words import VOCABULARY

GOLDEN = Path(__file__).parent.parent / "golden"


def _cases(folder: str) -> list[str]:
    sources = (path for path in (GOLDEN / folder).iterdir() if path.suffix in (".inq", ".conf"))
    return sorted({path.stem for path in sources})


def _compiled(folder: str, name: str) -> Compiled:
    conf, rules = GOLDEN / folder / f"{name}.conf", GOLDEN / folder / f"{name}.inq"
    file = "inspeqtor.conf" if name.startswith("inspeqtor") else "inspect.conf"
    texts = Texts(
        Text(file, conf.read_text("utf-8") if conf.exists() else ROUTES),
        (Text(rules.name, rules.read_text("utf-8")),) if rules.exists() else (),
    )
    reading = Reading(texts, lambda path: Wrong(f"no file {path}"), Findings(VOCABULARY.secrets()))
    made = compile_texts(reading, VOCABULARY)
    return made if conf.exists() else of_rules(made)


def _compare(path: Path, text: str) -> None:
    if os.environ.get("GOLDEN") == "accept":
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize("name", _cases("ok"))
def test_ok(name: str) -> None:
    """A sound configuration means exactly this."""
    compiled = _compiled("ok", name)
    assert compiled.config is not None, problems(compiled)
    _compare(GOLDEN / "ok" / f"{name}.json", as_json(compiled.config))


@pytest.mark.parametrize("name", _cases("bad"))
def test_bad(name: str) -> None:
    """A configuration with mistakes is told exactly this, and comes to nothing."""
    compiled = _compiled("bad", name)
    assert compiled.config is None
    _compare(GOLDEN / "bad" / f"{name}.txt", problems(compiled) + "\n")


@pytest.mark.parametrize("name", _cases("warned"))
def test_warned(name: str) -> None:
    """What is legal and suspicious is told exactly this, and what only looks like it is not."""
    compiled = _compiled("warned", name)
    assert compiled.config is not None, problems(compiled)
    _compare(GOLDEN / "warned" / f"{name}.txt", problems(compiled) + "\n")
