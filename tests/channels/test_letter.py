"""The letter: whatever a message says, its headers stay its own."""

from __future__ import annotations

import email
import email.policy

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.alerting.text import one_line
from inspect_agent.channels import letter
from tests.alerting.samples import MESSAGE

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
]
TO = letter.mailbox("to_email", "ops@example.com")


@settings(deadline=None)
@given(subject=st.text(max_size=300).map(one_line), host=st.text(max_size=80).map(one_line))
def test_no_name_makes_a_header(subject: str, host: str) -> None:
    """Whatever a service or a machine is called, a letter has its nine headers and no other."""
    message = MESSAGE._replace(subject=subject, host=host)
    content = letter.written(message, letter.sender_of(host), TO)
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert sorted(parsed.keys()) == sorted(HEADERS)
    assert "".join(str(parsed["Subject"]).split()) == "".join(subject.split())


@settings(deadline=None)
@given(
    body=st.text(
        alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"),
        max_size=3000,
    )
)
def test_a_letter_passes_through_any_server(body: str) -> None:
    """Every line is of 7 bits and at most 998 characters (RFC 5321, 4.5.3.1.6)."""
    content = letter.written(MESSAGE._replace(body=body), letter.sender_of("web-1"), TO)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_any_host_has_a_domain() -> None:
    """What is no letter of a domain becomes a dash; where nothing is left, it is this machine."""
    names = ("web-1.Example.com", "Zoë's box", "..", "", "a..b", "-x-")
    domains = [letter.domain_of(name) for name in names]
    assert domains == ["web-1.example.com", "zo-s-box", "localhost", "localhost", "a-b", "x"]
