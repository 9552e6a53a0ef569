"""No secret leaves the worker, in whatever dress."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.alerting.scrub import scrub, secrets_of
from inspect_agent.model.metric import Param

URL = Param("url", "secret", "")
PASSWORD = Param("password", "secret", "")
SERVER = Param("smtp_server", "text", "")


def cleaned(text: str, **params: str) -> str:
    """`text` without the secrets of these parameters."""
    return scrub(text, secrets_of((URL, PASSWORD, SERVER), params))


def test_only_what_is_declared_secret_is_masked() -> None:
    """The password goes; the server, the words around it and their case stay."""
    said = cleaned(
        "mx.test: Login as hunter2 (HUNTER2) failed", password="hunter2", smtp_server="mx"
    )
    assert said == "mx.test: Login as *** (***) failed"


def test_without_secrets_a_text_is_as_it_was() -> None:
    """A missing or empty parameter masks nothing."""
    assert cleaned("a text", password="") == cleaned("a text") == "a text"


@pytest.mark.parametrize(
    ("url", "text", "masked"),
    [
        (
            "json://me:pw@127.0.0.1:8080/hooks/T0KEN?key=k3y-of-mine&v=1#x",
            "to 127.0.0.1 as me with pw: /hooks/T0KEN and k3y-of-mine",
            "to 127.0.0.1 as *** with ***: /***/*** and ***",
        ),
        (
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnl",
            "at T1JJ3T3L2: /A1BRTD4JD/TIiajkdnl refused; t1jj3t3l2",
            "at ***: /***/*** refused; ***",
        ),
        (
            "tgram://123456789:abcdefg_hijk/12315544/",
            "https://api.telegram.org/bot123456789:abcdefg_hijk/sendMessage",
            "https://api.telegram.org/bot***:***/sendMessage",
        ),
        (
            "mailto://ops:pa%20ss@mx.example.com",
            "mx.example.com: pa ss and pa%20ss and pa+ss",
            "mx.example.com: *** and *** and ***",
        ),
        ("sendgrid://SG.abc.DEF:from@x.io", "SG.abc.DEF", "***"),
    ],
)
def test_of_a_url_only_the_host_is_told(url: str, text: str, masked: str) -> None:
    """User, password, path and query are masked wherever they appear; a host's name is not."""
    assert cleaned(text, url=url) == masked
    assert url.partition("://")[2] not in cleaned(f"cannot read {url}", url=url)


@settings(deadline=None)
@given(
    secret=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40),
    before=st.text(alphabet="abc \0", max_size=5),
    after=st.text(alphabet="abc \0", max_size=5),
)
def test_no_dress_hides_a_password(secret: str, before: str, after: str) -> None:
    """Plain, quoted, as a repr or within base64: what is left does not hold the secret."""
    plain = f"{before}{secret}{after}"
    encoded = base64.b64encode(plain.encode()).decode()
    for text in (plain, quote(plain), quote(plain, safe=""), repr(plain), encoded):
        said = cleaned(text, password=secret)
        assert secret == "***" or secret not in said
        assert "***" in said


def test_base64_of_a_login_is_masked() -> None:
    """A server that repeats what it was sent tells nothing (AUTH PLAIN, RFC 4616)."""
    sent = base64.b64encode(b"\0ops@example.com\0correct horse").decode()
    assert cleaned(f"535 bad login {sent}", password="correct horse") != f"535 bad login {sent}"
    left = cleaned(sent, password="correct horse")
    assert b"horse" not in base64.b64decode(left.replace("*", "A") + "===", validate=False)
