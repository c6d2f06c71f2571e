"""Mails at rest in a trial: one file, a line of JSON a mail, on the disk before anybody is told that it was taken."""

import os
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from pathlib import Path

import msgspec


class StoredMail(msgspec.Struct, frozen=True):
    """A mail as it was taken; `message_id` stands without its brackets."""

    number: int
    message_id: str
    recipient: str
    subject: str
    arrived_at: datetime


class Postbox:
    """The mails in the file at `path`, which only one process writes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+", buffering=0)
        self._file.seek(0)
        whole = self._file.read().split(b"\n")[:-1]  # what a kill left half written was never taken
        self._file.truncate(sum(len(line) + 1 for line in whole))
        self.mails = [msgspec.json.decode(line, type=StoredMail) for line in whole]

    def keep(self, recipient: str, source: bytes) -> None:
        """Return once the mail is on the disk.

        Raises OSError when the disk refuses it.
        """
        headers = BytesHeaderParser().parsebytes(source)
        mail = StoredMail(
            len(self.mails) + 1,
            str(headers.get("Message-ID", "")).strip("<> "),
            recipient,
            str(make_header(decode_header(str(headers.get("Subject", ""))))),
            datetime.now(UTC),  # noqa: TID251 - a mail server of trials has a clock of its own
        )
        self._file.write(msgspec.json.encode(mail) + b"\n")
        os.fdatasync(self._file.fileno())
        self.mails.append(mail)

    def page(self, start: int, limit: int) -> list[StoredMail]:
        """Newest first."""
        return self.mails[::-1][start : start + limit]
