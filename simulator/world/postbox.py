"""Storage of the test mail server: one file with a line of JSON for each mail, flushed before the mail is accepted."""

import os
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from pathlib import Path

import msgspec


class StoredMail(msgspec.Struct, frozen=True):
    """An accepted mail. `message_id` has no angle brackets."""

    number: int
    message_id: str
    recipient: str
    subject: str
    arrived_at: datetime


class Postbox:
    """The mails in the file at `path`, which is created if missing. Only one process may write to the file.

    An incomplete last line is cut off when the file is opened.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+", buffering=0)
        self._file.seek(0)
        whole = self._file.read().split(b"\n")[:-1]  # a line cut off by a kill was never accepted
        self._file.truncate(sum(len(line) + 1 for line in whole))
        self.mails = [msgspec.json.decode(line, type=StoredMail) for line in whole]

    def keep(self, recipient: str, source: bytes) -> None:
        """Store a mail and return once it is on disk.

        Raises OSError when the disk refuses the write.
        """
        headers = BytesHeaderParser().parsebytes(source)
        mail = StoredMail(
            len(self.mails) + 1,
            str(headers.get("Message-ID", "")).strip("<> "),
            recipient,
            str(make_header(decode_header(str(headers.get("Subject", ""))))),
            datetime.now(UTC),  # noqa: TID251 - the mail server's own clock
        )
        self._file.write(msgspec.json.encode(mail) + b"\n")
        os.fdatasync(self._file.fileno())
        self.mails.append(mail)

    def page(self, start: int, limit: int) -> list[StoredMail]:
        """Return up to `limit` mails after the first `start`, newest first."""
        return self.mails[::-1][start : start + limit]
