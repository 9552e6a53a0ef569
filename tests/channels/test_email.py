"""Mail, against real servers on the loopback."""

from __future__ import annotations

import email
import email.policy
import re
import socket
from typing import Any

import pytest

from inspect_agent.channels.email import Email
from inspect_agent.channels.gmail import Gmail
from inspect_agent.errors import ChannelError, DeliveryDelayed, DeliveryRefused
from tests.alerting.samples import MESSAGE
from tests.servers.ca import Authority
from tests.servers.mail import Dawdler, MailServer, Mute, ScriptedServer, closed_port

USERS = {"inspect": "correct horse"}
LOGIN = {"username": "inspect", "password": "correct horse"}


def channel(port: int, **params: str) -> Email:
    """A channel to ops@example.com over a server of this test."""
    return Email(
        {"to_email": "ops@example.com", "smtp_server": "127.0.0.1", "port": str(port), **params}
    )


def sent(server: MailServer, **params: str) -> tuple[str, Any]:
    """How the server took MESSAGE, and the letter that it took."""
    how = channel(server.port, **params).send(MESSAGE)
    return how, server.letters.get_nowait()


def test_a_letter_arrives_in_the_clear_where_nothing_else_is_said() -> None:
    """Without username the letter goes out as it is, from the machine's own address."""
    with MailServer() as server:
        how, letter = sent(server)
    assert how == f"taken by 127.0.0.1:{server.port}: 250 queued as 4711"
    assert letter._replace(content=b"") == (
        "inspect-agent@web-1.example.com",
        ("ops@example.com",),
        b"",
        False,
        None,
    )


def test_a_letter_has_the_headers_that_mail_wants() -> None:
    """Subject, Date, Message-ID and body are those of the message, and no other header is there."""
    with MailServer() as server:
        _, letter = sent(server, from_email="Inspect Agent <agent@example.com>")
    parsed = email.message_from_bytes(letter.content, policy=email.policy.default)
    assert {name: str(value) for name, value in parsed.items()} == {
        "From": "Inspect Agent <agent@example.com>",
        "To": "ops@example.com",
        "Subject": MESSAGE.subject,
        "Date": email.utils.formatdate(MESSAGE.sent_at, localtime=True),
        "Message-ID": "<0123456789abcdef0123456789abcdef@web-1.example.com>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": parsed["Content-Transfer-Encoding"],
    }
    assert parsed.get_content().rstrip("\r\n").splitlines() == MESSAGE.body.splitlines()
    assert letter.sender == "agent@example.com"


def test_two_tries_of_a_message_are_one_letter() -> None:
    """A second try is byte for byte the same, so that it can be told from a second message."""
    with MailServer() as server:
        _, first = sent(server)
        _, second = sent(server)
    assert first == second


@pytest.mark.parametrize("implicit", [False, True])
def test_a_login_goes_over_tls(trusted: Authority, implicit: bool) -> None:
    """With a username the connection is encrypted, by STARTTLS or from the start, and verified."""
    context = trusted.server_context("127.0.0.1")
    how = {"tls": "tls"} if implicit else {}
    with MailServer(tls=context, implicit=implicit, users=USERS) as server:
        _, letter = sent(server, **LOGIN, **how)
    assert (letter.encrypted, letter.login, letter.sender) == (
        True,
        "inspect",
        "inspect-agent@web-1.example.com",
    )


def test_a_login_may_have_any_letters(trusted: Authority) -> None:
    """Username and password go as UTF-8; a wrong one is told as any other."""
    context = trusted.server_context("127.0.0.1")
    with MailServer(tls=context, users={"usér": "pässwörd 🔑"}) as server:
        _, letter = sent(server, username="usér", password="pässwörd 🔑")
        with pytest.raises(DeliveryDelayed, match="login: 535 "):
            sent(server, username="usér", password="päßwort")
    assert letter.login == "usér"


def test_insecure_takes_any_certificate(authority: Authority) -> None:
    """`insecure yes` sends over a server whose certificate nobody vouches for."""
    context = authority.server_context("other.example.com")
    with MailServer(tls=context, users=USERS) as server:
        _, letter = sent(server, **LOGIN, insecure="yes")
    assert letter.encrypted


@pytest.mark.parametrize(
    ("implicit", "stage"), [(False, "STARTTLS"), (True, "TLS")], ids=["starttls", "tls"]
)
def test_a_certificate_that_nobody_vouches_for_is_not_sent_to(
    authority: Authority, implicit: bool, stage: str
) -> None:
    """The alert waits, the error says why and how out, and no password was sent."""
    context = authority.server_context("127.0.0.1")
    how = {"tls": "tls"} if implicit else {}
    with MailServer(tls=context, implicit=implicit, users=USERS) as server:
        with pytest.raises(DeliveryDelayed) as caught:
            sent(server, **LOGIN, **how)
        assert str(caught.value) == (
            f"127.0.0.1:{server.port}: {stage}: the certificate does not verify (unable to get "
            "local issuer certificate): let this machine trust who signed it, or say `insecure yes`"
        )
        assert server.letters.empty()


def test_a_certificate_for_another_name_is_not_sent_to(trusted: Authority) -> None:
    """A trusted certificate counts for the names in it alone."""
    context = trusted.server_context("other.example.com")
    with MailServer(tls=context, users=USERS) as server:
        with pytest.raises(DeliveryDelayed, match="the certificate does not verify"):
            sent(server, **LOGIN)
        assert server.letters.empty()


def test_a_wrong_password_delays(trusted: Authority) -> None:
    """A password can be mended, so the alert is not lost."""
    context = trusted.server_context("127.0.0.1")
    with (
        MailServer(tls=context, users=USERS) as server,
        pytest.raises(DeliveryDelayed) as caught,
    ):
        sent(server, username="inspect", password="wrong horse")
    assert str(caught.value) == (
        f"127.0.0.1:{server.port}: login: 535 5.7.8 Authentication credentials invalid; "
        "are username and password right?"
    )


@pytest.mark.parametrize(
    ("verb", "reply", "kind", "text"),
    [
        (
            "MAIL",
            "451 later",
            DeliveryDelayed,
            "MAIL FROM: 451 later; may from_email be used here?",
        ),
        ("MAIL", "553 no", DeliveryDelayed, "MAIL FROM: 553 no; may from_email be used here?"),
        ("RCPT", "450 busy", DeliveryDelayed, "RCPT TO: 450 busy"),
        ("RCPT", "530 log in first", DeliveryDelayed, "RCPT TO: 530 log in first"),
        ("RCPT", "550 no such user", DeliveryRefused, "RCPT TO: 550 no such user"),
        ("DATA", "452 disk full", DeliveryDelayed, "DATA: 452 disk full"),
        ("DATA", "554 spam", DeliveryRefused, "DATA: 554 spam"),
    ],
)
def test_a_servers_no_is_final_only_where_nothing_can_mend_it(
    verb: str, reply: str, kind: type[ChannelError], text: str
) -> None:
    """4xx delays; 5xx loses the alert at RCPT TO and DATA alone; the server's words are kept."""
    with MailServer(replies={verb: reply}) as server, pytest.raises(ChannelError) as caught:
        sent(server)
    assert (type(caught.value), str(caught.value)) == (kind, f"127.0.0.1:{server.port}: {text}")


def test_a_recipient_is_refused_by_itself() -> None:
    """Where one of two recipients is refused, the other one's letter arrives."""
    with MailServer() as server:
        good = channel(server.port)
        bad = channel(server.port, to_email="gone@example.com")
        server.replies["RCPT"] = "550 no such user"
        with pytest.raises(DeliveryRefused):
            bad.send(MESSAGE)
        del server.replies["RCPT"]
        good.send(MESSAGE)
        assert server.letters.get_nowait().recipients == ("ops@example.com",)


def test_a_closed_port_delays() -> None:
    """Nobody listening is told as such, with what to look at."""
    port = closed_port()
    with pytest.raises(DeliveryDelayed) as caught:
        channel(port).send(MESSAGE)
    assert str(caught.value) == (
        f"127.0.0.1:{port}: connect: Connection refused; "
        "are smtp_server and port right, and does a firewall let it through?"
    )


def short(port: int, timeout_s: float, deadline_s: float, **params: str) -> Email:
    """A channel without patience."""
    given = {"to_email": "ops@example.com", "smtp_server": "127.0.0.1", "port": str(port)}
    return Email({**given, **params}, timeout_s, deadline_s)


@pytest.mark.parametrize("params", [{}, {"tls": "tls"}], ids=["none", "tls"])
def test_a_server_that_takes_the_connection_and_hangs_delays(params: dict[str, str]) -> None:
    """Each wait for the server has an end."""
    stage = "TLS" if params else "greeting"
    advice = (
        "; is this the port for TLS? `tls starttls` is for port 587, `tls none` for port 25"
        if params
        else ""
    )
    with Mute() as server, pytest.raises(DeliveryDelayed) as caught:
        short(server.port, 0.05, 60.0, **params).send(MESSAGE)
    expected = f"127.0.0.1:{server.port}: {stage}: no answer within 0.05 s{advice}"
    assert str(caught.value) == expected


def test_a_server_that_dawdles_is_cut_off_at_the_deadline() -> None:
    """A server that goes on talking cannot hold a delivery beyond its deadline."""
    with Dawdler() as server, pytest.raises(DeliveryDelayed) as caught:
        short(server.port, 60.0, 0.05).send(MESSAGE)
    said = rf"127\.0\.0\.1:{server.port}: (connect|greeting): no end after 0\.05 s"
    assert re.fullmatch(said, str(caught.value))


GREETING = b"220 here I am\r\n"
TALK = {"EHLO": "250 hello\r\n", "MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n"}


@pytest.mark.parametrize(
    ("greeting", "answers", "params", "text"),
    [
        (b"HTTP/1.1 400 what?\r\n", {}, {}, "greeting: what answers is no mail server"),
        (b"421 too many\r\n", {}, {}, "greeting: 421 too many"),
        (b"554 go away\r\n", {}, {}, "greeting: 554 go away"),
        (GREETING, {"EHLO": None}, {}, "EHLO: the server closed the connection"),
        (GREETING, {"EHLO": "500 ?\r\n", "HELO": "550 no\r\n"}, {}, "HELO: 550 no"),
        (
            GREETING,
            TALK,
            {"tls": "starttls"},
            "STARTTLS: the server does not offer STARTTLS; "
            "`tls tls` is for port 465, `tls none` for port 25",
        ),
        (
            GREETING,
            TALK,
            {"tls": "none", **LOGIN},
            "login: the server offers none without TLS, or at all; "
            "are username and password right?",
        ),
        (GREETING, {**TALK, "RCPT": None}, {}, "RCPT TO: the server closed the connection"),
        (
            GREETING,
            {**TALK, "DATA": "354 go on\r\n", ".": None},
            {},
            "DATA: the server closed the connection",
        ),
    ],
)
def test_a_strange_server_delays(
    greeting: bytes, answers: dict[str, str | None], params: dict[str, str], text: str
) -> None:
    """Whatever a server does, the error names the stage it did it at."""
    with ScriptedServer(greeting, answers) as server, pytest.raises(DeliveryDelayed) as caught:
        channel(server.port, **params).send(MESSAGE)
    assert str(caught.value) == f"127.0.0.1:{server.port}: {text}"


def test_an_old_server_is_greeted_as_it_knows_it() -> None:
    """Where EHLO is not known HELO does, and a rude goodbye loses nothing."""
    talk: dict[str, str | None] = {
        **TALK,
        "EHLO": "500 what?\r\n",
        "HELO": "250 hello\r\n",
        "DATA": "354 go on\r\n",
        ".": "250 got it\r\n",
        "QUIT": None,
    }
    with ScriptedServer(GREETING, talk) as server:
        how = channel(server.port).send(MESSAGE)
        heard = [server.heard.get_nowait().lower() for _ in range(5)]
    assert how == f"taken by 127.0.0.1:{server.port}: 250 got it"
    assert heard == [
        "ehlo [127.0.0.1]",
        "helo [127.0.0.1]",
        "mail from:<inspect-agent@web-1.example.com>",
        "rcpt to:<ops@example.com>",
        "data",
    ]


@pytest.mark.parametrize(
    ("params", "server"),
    [
        ({}, ("localhost", 25, "none")),
        ({"smtp_server": "mx"}, ("mx", 25, "none")),
        (LOGIN, ("localhost", 587, "starttls")),
        ({"tls_port": "2525"}, ("localhost", 2525, "starttls")),
        ({"tls_port": "465"}, ("localhost", 465, "tls")),
        ({"port": "465"}, ("localhost", 465, "tls")),
        ({"port": "25", **LOGIN}, ("localhost", 25, "starttls")),
        ({"tls": "tls"}, ("localhost", 465, "tls")),
        ({"tls": "starttls"}, ("localhost", 587, "starttls")),
        ({"tls": "none", **LOGIN}, ("localhost", 25, "none")),
    ],
)
def test_what_is_not_said_is_as_usual(params: dict[str, str], server: tuple[str, int, str]) -> None:
    """Port and encryption follow from each other and from the credentials."""
    known = Email({"to_email": "ops@example.com", **params}).server
    assert (known.host, known.port, known.tls) == server


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"to_email": ""}, "to_email: it is one address like ops@example.com"),
        ({"to_email": "ops"}, "to_email: it is one address like ops@example.com"),
        ({"to_email": "a@b.c, d@e.f"}, "to_email: it is one address like ops@example.com"),
        ({"to_email": "a@b\r\nBcc: x@y"}, "to_email: it is one address like ops@example.com"),
        ({"to_email": "ö@b.c"}, "to_email: it is one address like ops@example.com"),
        ({"from_email": "me"}, "from_email: it is one address like ops@example.com"),
        ({"username": "u"}, "username: it needs a password, too"),
        ({"password": "p"}, "password: it needs a username, too"),
        ({"port": "0"}, "port: it is a number from 1 to 65535"),
        ({"tls_port": "smtp"}, "tls_port: it is a number from 1 to 65535"),
        ({"port": "1", "tls_port": "2"}, "tls_port: say port or tls_port, not both"),
        ({"tls": "maybe"}, "tls: it is one of none, starttls, tls"),
        ({"insecure": "perhaps"}, "insecure: it is yes or no"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(params: dict[str, str], problem: str) -> None:
    """Each wrong parameter is a ValueError that begins with its name."""
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        Email({"to_email": "ops@example.com", **params})


def test_an_address_in_another_script_is_sent_as_its_ascii_form() -> None:
    """The domain of an address may be written as people write it."""
    with MailServer() as server:
        _, letter = sent(server, to_email="ops@bücher.example")
    assert letter.recipients == ("ops@xn--bcher-kva.example",)


def redirect(
    monkeypatch: pytest.MonkeyPatch, port: int, asked: list[tuple[object, object]]
) -> None:
    """Every host name leads to `port` of the loopback; `asked` are the names and ports wanted."""
    really = socket.getaddrinfo

    def lookup(host: object, wanted: object, *args: Any, **kwargs: Any) -> Any:
        asked.append((host, wanted))
        return really("127.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def test_gmail_is_a_known_server(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gmail needs a name and a password: server, encryption and sender follow."""
    asked: list[tuple[object, object]] = []
    context = trusted.server_context("smtp.gmail.com")
    with MailServer(tls=context, users={"mike@gmail.com": "app password"}) as server:
        redirect(monkeypatch, server.port, asked)
        gmail = Gmail(
            {"to_email": "ops@example.com", "username": "mike", "password": "app password"}
        )
        how = gmail.send(MESSAGE)
        letter = server.letters.get_nowait()
    assert asked == [("smtp.gmail.com", 587)]
    assert how == "taken by smtp.gmail.com:587: 250 queued as 4711"
    assert (letter.sender, letter.encrypted, letter.login) == (
        "mike@gmail.com",
        True,
        "mike@gmail.com",
    )


def test_gmail_wants_a_user() -> None:
    """Without a username there is no way into Gmail."""
    with pytest.raises(ValueError, match="username: Gmail takes mail from its users alone"):
        Gmail({"to_email": "ops@example.com"})
