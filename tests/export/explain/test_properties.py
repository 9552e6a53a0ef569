"""Whatever compiles is explained, and no secret is among the words."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from inspect_agent.model.config import Config
from tests.export.explain.explaining import GOLDEN, explained, explained_conf
from tests.lang.compiling import compiled

SECRET = "Pr1v4te"
SECRET_CONF = f"""
send alerts via email with to_email ops@example.com, username "u {SECRET}", password {SECRET}
send alerts to ops via apprise with url "json://{SECRET}:{SECRET}@h/{SECRET}?token={SECRET}"
send alerts to ops via gmail with to_email "{SECRET} <a@b.example>", username {SECRET}, password {SECRET}
send alerts to boss via email with to_email a@b.example, smtp_server {SECRET}
"""  # noqa: E501  # one statement a line
SECRET_RULES = f"""
check probe secretive with url "https://u:{SECRET}@h/?{SECRET}", contains "x://{SECRET}", owner ops
  if http:status != 200 then alert, run "curl -u x:{SECRET} https://h"
check service secretive with passphrase {SECRET}, url {SECRET}
  if io:calls > 1 then alert boss
"""


def explain_all(rules: str, conf: str, file: str, config: Config) -> str:
    """Everything that can be said of these texts: as a whole, and at each line of the rules."""
    lines = range(1, min(rules.count("\n"), 50) + 2)
    texts = [explained(rules, config), explained_conf(conf, config, file)]
    return "".join([*texts, *(explained(rules, config, line) for line in lines)])


TEXTS = {
    suffix: [path.read_text("utf-8") for path in sorted((GOLDEN / "ok").glob(f"*{suffix}"))]
    for suffix in (".inq", ".conf")
}
WORDS = sorted({word for texts in TEXTS.values() for text in texts for word in text.split()})
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(WORDS) | st.text()), max_size=3)
FILES = st.sampled_from(["inspect.conf", "inspeqtor.conf"])


def nearly_sound(suffix: str) -> st.SearchStrategy[str]:
    """Golden files that compile, with a few of their words replaced."""
    return st.builds(edited, st.sampled_from(TEXTS[suffix]), EDITS)


def edited(text: str, edits: list[tuple[int, str]]) -> str:
    """The text with some of its words replaced by others; its layout stays."""
    words = re.split(r"(\s+)", text)
    for at, piece in edits:
        words[at % len(words)] = piece
    return "".join(words)


@given(nearly_sound(".inq"), st.just("") | nearly_sound(".conf"), FILES)
@settings(max_examples=100, suppress_health_check=[HealthCheck.filter_too_much])
def test_whatever_compiles(rules: str, conf: str, file: str) -> None:
    """It is said in printable lines, and what is secret is not."""
    rules, conf = SECRET_RULES + rules, SECRET_CONF + conf
    config = compiled(rules, conf=conf, file=file).config
    assume(config is not None)
    assert config is not None
    said = explain_all(rules, conf, file, config)
    assert SECRET not in said
    assert said.endswith("\n")
    assert all(line.isprintable() for line in said.split("\n"))


def test_the_secrets_compile() -> None:
    """The texts above are sound: the secrets are in what is explained."""
    config = compiled(SECRET_RULES, conf=SECRET_CONF).config
    assert config is not None
    assert str(config).count(SECRET) > 10
    said = explain_all(SECRET_RULES, SECRET_CONF, "inspect.conf", config)
    assert SECRET not in said
    words = " ".join(said.split())
    assert "the route ops (apprise; gmail to a@b.example)" in words
    assert "url (not shown), contains (not shown) and timeout 5s (the default)" in words
