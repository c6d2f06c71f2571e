"""Makes the envelope of a mail for the mail server, or records why the mail cannot be sent."""

from sqlalchemy import Connection, exc

from notifier.mail import composer
from notifier.mail.branding import Branding
from notifier.queue.mail_queue import QueuedMail
from notifier.sending import delivery_results
from notifier.sending.smtp import SmtpEnvelope, envelope
from stream.events.text import email_address
from stream.store import error_classification


def envelope_of(mail: QueuedMail, branding: Branding, tx: Connection) -> SmtpEnvelope | None:
    """Return the envelope of a mail; None if it cannot be sent, with status and reason recorded in `tx`.

    The status is then `stale`, `no_recipient`, or, for a mail that cannot be composed, `failed`.
    """
    try:
        if mail.stale:
            delivery_results.record_ended(tx, mail, "stale", "its webhook was received too long ago")
            return None
        return envelope(branding.address, _recipient(mail), composer.compose(mail, branding))
    except email_address.Unusable as error:
        delivery_results.record_ended(tx, mail, "no_recipient", str(error))
    except exc.SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - one mail that cannot be composed must not block the others
        delivery_results.record_ended(tx, mail, "failed", error_classification.describe(error))
    return None


def _recipient(mail: QueuedMail) -> str:
    """Return the stored address. It is parsed again, because older rows may hold addresses that were not checked.

    Raises Unusable if there is none, or if it is not in canonical form.
    """
    if mail.recipient is None:
        raise email_address.Unusable(mail.problem or "its recipient's address was removed")
    if email_address.parse(mail.recipient, allow_dotless=mail.audience == "operator") != mail.recipient:
        raise email_address.Unusable("its recipient's address is not stored in canonical form")
    return mail.recipient
