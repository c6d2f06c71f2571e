"""The notifier's lane to a mail server, for one mail at a time; a failure is raised instead of returned."""

from notifier.mail.mime import Mail
from notifier.sending.lane import Lane
from notifier.sending.smtp import envelope


class MailServer:
    """A lane of one connection. `offer` and `finish` raise the failure that the lane's methods of this name return."""

    def __init__(self, url: str, timeout_s: float, ca: str | None = None) -> None:
        self.lane = Lane(url, timeout_s, ca)

    def offer(self, sender: str, recipient: str, mail: Mail) -> None:
        (failure,) = self.lane.offer([envelope(sender, recipient, mail)])
        if failure:
            raise failure

    def finish(self) -> None:
        (failure,) = self.lane.finish()
        if failure:
            raise failure

    def close(self) -> None:
        self.lane.close()
