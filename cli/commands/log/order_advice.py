"""Advice of `hookstream order` about refused requests that name the order, and mails without an address. Pure."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runtime.json_value import JsonValue
from runtime.plain_text import counted

MAX_REFUSALS = 50
EMAIL = {"customer": "customerEmail", "seller": "sellerEmail"}


def refused(order_id: str, refusals: Sequence[JsonValue], accepted: Iterable[str | None], *, more: bool) -> list[str]:
    """Return lines about the refused requests received after the last accepted webhook; none without such requests.

    `accepted` are the times of accepted webhooks, in UTC as the API has them. `more` says that there are older refusals
    than these.
    """
    last = max((at for at in accepted if at), default="")
    later = [row for row in refusals if row["receivedAt"] > last]
    if not later:
        return []
    causes = Counter(f"{row['cause']} of {row['provider']}" for row in later)
    retired = Counter((row["provider"], row["retiredSecret"]) for row in later if row["retiredSecret"])
    least = "at least " if more and len(later) == len(refusals) else ""
    since = "nothing of it was accepted since" if last else "none was accepted"
    were = f"{counted(len(later), 'request')} naming this order {'was' if len(later) == 1 else 'were'} refused"
    why = ", ".join(f"{cause} {count}" for cause, count in causes.most_common())
    return [
        f"{least}{were} ({why}), and {since}: hookstream refusals list --order {shlex.quote(order_id)}",
        *(
            f"a retired secret of {provider} ({fingerprint}) proves {count} of them: set the new secret at the"
            " provider, or make the old one valid again for a while"
            for (provider, fingerprint), count in retired.most_common()
        ),
    ]


def addresses(mails: Iterable[Mapping[str, JsonValue]]) -> list[str]:
    """Return, each once, what to post for mails that wait for the address of a customer or seller who is known."""
    return list(dict.fromkeys(line for mail in mails if (line := address(mail))))


def address(mail: Mapping[str, JsonValue]) -> str | None:
    """Return what to post so that a mail is sent; None unless it waits for a customer or seller whose id is known."""
    person, audience, order_id = mail.get("user_id"), mail["audience"], mail["order_id"]
    if mail["status"] != "waiting" or person is None or audience not in EMAIL:
        return None
    or_order = f", or order {order_id} with {EMAIL[audience]} to /webhooks/order" if order_id else ""
    return (
        f"no e-mail address of {audience} {person} is known: post customerId {person} with email to"
        f" /webhooks/customer{or_order}; mails that wait are then sent by themselves"
    )
