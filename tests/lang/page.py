"""docs/language.md, taken apart."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text("utf-8")


def between(start: str, end: str) -> str:
    """What stands between two texts that the page has to hold; the first is there once."""
    assert PAGE.count(start) == 1, start
    _, _, rest = PAGE.partition(start)
    found, end_found, _ = rest.partition(end)
    assert end_found, end
    return found


def words(text: str) -> list[str]:
    """What is set as code; a text that goes on in the next line is one."""
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", text)]


def rows(first: str) -> list[list[str]]:
    """The cells of the table whose first column is called so."""
    (table,) = re.findall(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [_cells(line) for line in table.splitlines()]


def blocks() -> list[str]:
    """What is indented by four, as the page has it."""
    found: list[str] = re.findall(r"^    .*\n(?:    .*\n|\n(?=    ))*", PAGE, re.MULTILINE)
    return found


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]
