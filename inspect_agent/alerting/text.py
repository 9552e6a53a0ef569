"""Other people's text, made fit for a line, a header or a mail."""

from __future__ import annotations


def one_line(text: str, most: int = 200) -> str:
    """`text` as one printable line of at most `most` characters.

    Control characters, line ends, lone surrogates and marks that turn the writing around become
    spaces: a name must not be able to start a header or to hide what follows it.
    """
    words = " ".join(_printable(text).split())
    return words if len(words) <= most else words[: most - 1] + "…"


def lines(text: str) -> list[str]:
    """The lines of `text`, each printable, without empty ones at the ends."""
    return [_printable(line).rstrip() for line in text.strip().splitlines()]


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
