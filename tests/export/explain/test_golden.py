"""tests/golden/explain: what is said of each configuration in tests/golden/ok.

ok/NAME.inq is the file a.inq of its configuration, ok/NAME.conf its inspect.conf, as in
tests/lang/test_golden.py. To accept what has changed, run

    GOLDEN=accept .venv/bin/pytest tests/export/explain/test_golden.py

and read the difference before you commit it.
"""

from __future__ import annotations

import os

import pytest

from tests.export.explain.explaining import GOLDEN, explained_case

CASES = sorted({path.stem for path in (GOLDEN / "ok").iterdir() if path.suffix != ".json"})


@pytest.mark.parametrize("name", CASES)
def test_every_part_of_the_language(name: str) -> None:
    """A sound configuration is explained by exactly these words; a new one needs its file."""
    path = GOLDEN / "explain" / f"{name}.txt"
    text = explained_case(name)
    if os.environ.get("GOLDEN") == "accept":
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


def test_nothing_else_is_there() -> None:
    """A case that is gone leaves no words behind."""
    assert sorted(path.stem for path in (GOLDEN / "explain").iterdir()) == CASES
