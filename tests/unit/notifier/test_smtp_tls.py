"""Mails over TLS, to a real server: its certificate and its name are verified, and no password goes in the clear."""

import ssl
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from notifier.mail.mime import Mail
from notifier.sending.lane import Lane
from notifier.sending.smtp import NotTaken, envelope
from tests.mail_lane import MailServer
from tests.mail_server import PASSWORD, USER, mail_server

SHOP, KIM = "shop@example.test", "kim@example.test"
AUTHORITY, STRANGER = trustme.CA(), trustme.CA()
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


def certified(name: str = "localhost", by: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    by.issue_cert(name).configure_cert(context)
    return context


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a context with a self-signed certificate for the right name."""
    context, pem = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), folder / "self.pem"
    pem.write_bytes(STRANGER.private_key_pem.bytes() + STRANGER.cert_pem.bytes())
    context.load_cert_chain(pem)
    return context


def a_mail(text: str) -> Mail:
    date = "Tue, 14 Nov 2023 22:13:20 +0000"
    return Mail("초록 상점", SHOP, "결제가 완료되었습니다", "<1@example.test>", "ko", date, text, "<p>")


def send(url: str, ca: str | None, recipient: str = KIM) -> None:
    written = (
        "결제가 완료되었습니다",
        "<1@example.test>",
        "ko",
        "Tue, 14 Nov 2023 22:13:20 +0000",
        "안녕하세요.\n",
        "<p>",
    )
    mail = Mail("초록 상점", SHOP, *written)
    mails = MailServer(url, 5, ca)
    try:
        mails.offer(SHOP, recipient, mail)
        mails.finish()
    finally:
        mails.close()


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
@pytest.mark.parametrize("as_text", [False, True], ids=["file", "pem"])
def test_a_mail_goes_over_tls_to_a_server_that_proves_its_name(implicit: bool, as_text: bool, ca: str) -> None:
    with mail_server(certified(), implicit=implicit, login=True) as server:
        scheme = "smtps" if implicit else "smtp"
        send(f"{scheme}://{LOGIN}localhost:{server.port}", Path(ca).read_text() if as_text else ca)

    (mail,) = server.mails
    assert (mail.encrypted, mail.user, mail.recipients, mail.options) == (True, USER, [KIM], ["BODY=8BITMIME"])


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_mails_in_lockstep_go_over_tls_too(implicit: bool, ca: str) -> None:
    """One is larger than the network takes at once, and than a record of TLS."""
    readers = {"kim@example.test": 1, "lee@example.test": 900_000, "choi@example.test": 20_000}
    with mail_server(certified(), implicit=implicit, login=True) as server:
        scheme = "smtps" if implicit else "smtp"
        lane = Lane(f"{scheme}://{LOGIN}localhost:{server.port}", 10, ca, width=3)
        outcomes = []
        for _ in range(2):
            mails = [envelope(SHOP, reader, a_mail("x" * size)) for reader, size in readers.items()]
            outcomes += [lane.offer(mails), lane.finish()]
        lane.close()

    assert outcomes == [[None] * 3] * 4
    assert sorted(mail.recipients[0] for mail in server.mails) == sorted([*readers, *readers])
    assert all(mail.encrypted for mail in server.mails)
    assert len(server.logins) == 3


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("self-signed", "self-signed certificate"),
        ("of a stranger's authority", "unable to get local issuer certificate"),
        ("of another name", "Hostname mismatch"),
    ],
)
def test_a_server_that_cannot_prove_its_name_gets_no_password_and_no_mail(
    who: str, why: str, implicit: bool, ca: str, tmp_path: Path
) -> None:
    tls = {
        "self-signed": lambda: self_signed(tmp_path),
        "of a stranger's authority": lambda: certified(by=STRANGER),
        "of another name": lambda: certified("other.test"),
    }[who]()
    with mail_server(tls, implicit=implicit, login=True) as server, pytest.raises(NotTaken, match=why) as refused:
        send(f"{'smtps' if implicit else 'smtp'}://{LOGIN}localhost:{server.port}", ca)

    assert (server.mails, server.logins) == ([], [])
    assert refused.value.final is False
    assert f"localhost:{server.port}" in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_without_smtp_ca_the_system_s_authorities_decide() -> None:
    with mail_server(certified()) as server, pytest.raises(NotTaken, match="SMTP_CA"):
        send(f"smtp://localhost:{server.port}", None)

    assert server.mails == []


@pytest.mark.parametrize(("user", "query"), [(LOGIN, ""), ("", "?tls=required")])
def test_a_server_that_hides_starttls_gets_no_password_and_no_mail(user: str, query: str, ca: str) -> None:
    """0.0.0.0 reaches this machine, and is no loopback address."""
    with mail_server(login=bool(user)) as server, pytest.raises(NotTaken, match="no STARTTLS") as refused:
        send(f"smtp://{user}0.0.0.0:{server.port}{query}", ca)

    assert (server.mails, server.logins) == ([], [])
    assert refused.value.final is False


@pytest.mark.parametrize(("host", "query"), [("0.0.0.0", "?tls=off"), ("localhost", ""), ("127.0.0.1", "")])  # noqa: S104
def test_a_password_goes_in_the_clear_only_on_this_machine_or_by_decision(host: str, query: str, ca: str) -> None:
    with mail_server(login=True) as server:
        send(f"smtp://{LOGIN}{host}:{server.port}{query}", ca)

    assert [(mail.encrypted, mail.user) for mail in server.mails] == [(False, USER)]


def test_a_wrong_password_is_no_fault_of_the_mail(ca: str) -> None:
    with mail_server(certified(), login=True) as server, pytest.raises(NotTaken, match="535") as refused:
        send(f"smtp://{USER}:wrong@localhost:{server.port}", ca)

    assert refused.value.final is False
    assert server.mails == []


def test_smtps_to_a_port_without_tls_says_so(ca: str) -> None:
    with mail_server() as server, pytest.raises(NotTaken, match="failed to set up TLS"):
        send(f"smtps://localhost:{server.port}", ca)


def test_a_local_part_beyond_ascii_is_sent_as_it_is_where_the_server_takes_it(ca: str) -> None:
    with mail_server(certified()) as server:
        send(f"smtp://localhost:{server.port}", ca, "김민지@xn--bcher-kva.example")

    (mail,) = server.mails
    assert mail.recipients == ["김민지@xn--bcher-kva.example"]
    assert "To: 김민지@xn--bcher-kva.example\r\n".encode() in mail.content
    assert "Subject: 결제가 완료되었습니다\r\n".encode() in mail.content


def test_a_local_part_beyond_ascii_fails_for_good_where_the_server_does_not_take_it(ca: str) -> None:
    with mail_server(certified(), utf8=False) as server, pytest.raises(NotTaken, match="SMTPUTF8") as refused:
        send(f"smtp://localhost:{server.port}", ca, "김민지@shop.example")

    assert refused.value.final is True
    assert server.mails == []
