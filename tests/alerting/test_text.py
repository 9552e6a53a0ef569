"""Other people's text."""

from __future__ import annotations

from inspect_agent.alerting.text import lines, one_line


def test_a_line_is_one_and_has_an_end() -> None:
    """Control characters, line ends and what turns writing around become single spaces."""
    assert one_line("a\r\nBcc: x\x00\t b\u202ec\ud800 ") == "a Bcc: x b c"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"


def test_lines_are_kept_as_lines() -> None:
    """Empty lines at the ends go, those within stay, and nothing else than text is left."""
    assert lines("\n\n one\x1b[1m\r\n\r\ntwo \n") == ["one [1m", "", "two"]
    assert lines("") == []
