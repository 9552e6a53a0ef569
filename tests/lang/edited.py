"""Golden files with random edits, for tests that take whatever somebody may have typed."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

GOLDEN = Path(__file__).parent.parent / "golden"


def texts(suffix: str) -> list[str]:
    """All golden files that end so."""
    return [path.read_text("utf-8") for path in sorted(GOLDEN.rglob(f"*{suffix}"))]


_PIECES = st.sampled_from(
    sorted({piece for text in texts(".inq") + texts(".conf") for piece in text.split()})
) | st.text(alphabet='if \n"#,()<>=\\%/.:5mé\ufeff', max_size=3)
_EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 20), _PIECES), max_size=6)


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for at, length, piece in edits:
        start = at % (len(text) + 1)
        text = text[:start] + piece + text[start + length :]
    return text


RULES = st.builds(_edited, st.sampled_from(texts(".inq")), _EDITS)
CONFS = st.builds(_edited, st.sampled_from(texts(".conf")), _EDITS)
