"""The mail server of trials: a mail is on its disk before it is taken, and every illness is what its name says."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from local.paths import Paths
from local.run_state import ports
from local.services import answers
from notifier.mail.mime import Mail
from notifier.sending.smtp import NoReply, NotTaken
from simulator.world.mailserver import Ill, Mood
from simulator.world.postbox import Postbox
from tests.actors import Shop, until
from tests.mail_lane import MailServer

ROOT = Path(__file__).parents[3]


@contextmanager
def mailserver(folder: Path) -> Iterator[tuple[Shop, MailServer]]:
    """Its page, and a client of it; killed afterwards without a warning."""
    chosen = ports(Paths(ROOT, folder), ("smtp", "page"), {})
    env = {**os.environ, "SMTP_PORT": str(chosen["smtp"]), "PORT": str(chosen["page"])}
    argv = [sys.executable, "-m", "simulator.world.mailserver", str(folder / "mails")]
    page = Shop(f"http://127.0.0.1:{chosen['page']}", "")
    with subprocess.Popen(argv, cwd=ROOT, env=env) as process:
        until(lambda: answers(f"{page.url}/api/v1/info"), bool)
        yield page, MailServer(f"smtp://127.0.0.1:{chosen['smtp']}", 0.5)
        process.kill()


def a_mail(text: str = "hello\n.dots\n") -> Mail:
    date = "Tue, 14 Nov 2023 22:13:20 +0000"
    return Mail("", "shop@example.test", "결제가 완료되었습니다", "<n-1@example.test>", "ko", date, text, text)


def send(mails: MailServer) -> str:
    try:
        mails.offer("shop@example.test", "kim@example.test", a_mail())
        mails.finish()
    except (NoReply, NotTaken) as failure:
        return type(failure).__name__ + (" for good" if getattr(failure, "final", False) else "")
    return "taken"


ILLS: list[tuple[Ill, str, int]] = [
    ("well", "taken", 1),
    ("good night", "taken", 1),
    ("full", "NotTaken", 0),
    ("closes at data", "NotTaken", 0),
    ("defers", "NotTaken", 0),
    ("refuses", "NotTaken for good", 0),
    ("silent after the dot", "NoReply", 1),
    ("closes after the dot", "NoReply", 1),
    ("loses after the dot", "NoReply", 0),
]


def test_each_illness_shows_and_the_mails_that_were_taken_outlive_a_kill(tmp_path: Path) -> None:
    stored = 0
    with mailserver(tmp_path) as (page, mails):
        for ill, came, arrived in ILLS:
            page.request("POST", "/simulator/mood", msgspec.json.encode(Mood(ill)), {})
            assert send(mails) == came, ill
            stored += arrived
            until(lambda: page.request("GET", "/api/v1/info", None, {}).body["Messages"], lambda n: n == stored)  # noqa: B023

        listed = page.request("GET", "/api/v1/messages?start=0&limit=50", None, {}).body["messages"]

    assert len(listed) == len(Postbox(tmp_path / "mails").mails) == stored
    assert {(mail["MessageID"], mail["To"][0]["Address"], mail["Subject"]) for mail in listed} == {
        ("n-1@example.test", "kim@example.test", "결제가 완료되었습니다")
    }


@pytest.mark.parametrize("torn", [b"{", b'{"number":2,"message_id":"x"'])
def test_half_a_mail_was_never_taken(tmp_path: Path, torn: bytes) -> None:
    postbox = Postbox(tmp_path / "mails")
    postbox.keep("kim@example.test", a_mail().as_bytes())
    with (tmp_path / "mails").open("ab") as file:
        file.write(torn)

    again = Postbox(tmp_path / "mails")
    again.keep("lee@example.test", a_mail().as_bytes())

    assert [mail.recipient for mail in Postbox(tmp_path / "mails").mails] == ["kim@example.test", "lee@example.test"]
