"""Verifies a stored webhook again, with the secrets of today and the time of its receipt. Pure."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from providers import catalogue
from providers.contract import Received, RefusedWebhook
from stream.events import Micros, Verification

SecretsOf = Callable[[str], Sequence[bytes]]
"""Returns the secrets of a setting, such as WEBHOOK_SECRET; none if it is not set."""


class Proof(NamedTuple):
    """Two verifications of a webhook: at its receipt (`then`) and again (`now`), and a sentence about the second."""

    then: Verification
    now: Literal["verified", "failed", "not possible"]
    detail: str


def verify_again(
    path: str, headers: dict[str, str], raw: bytes, received_at: Micros, then: Verification, secrets_of: SecretsOf
) -> Proof:
    """Return the proof of a webhook, verified again as if received at `received_at` (microseconds since 1970 UTC).

    Only a signature can be verified again, and only if its path and secret are still configured; else the result is
    `not possible`. A token in a URL is not stored.
    """
    if then == "confirmed":
        return Proof(then, "not possible", "it is unsigned, and the provider's API confirmed it")
    if then != "signature":
        return Proof(then, "not possible", "nothing that is stored proves it; the check when it was received counts")
    if path not in catalogue.BY_PATH:
        return Proof(then, "not possible", f"no provider has the path {path} any more")
    provider, _ = catalogue.find(path, headers)
    secrets = secrets_of(provider.secret_setting)
    if not secrets:
        return Proof(then, "not possible", f"{provider.secret_setting} is not set where this was made")
    try:
        now = provider.verify(Received(path, headers, raw, received_at), secrets)
    except RefusedWebhook as refused:
        return Proof(then, "failed", f"{refused}; if the secret was rotated since, add the old one and try again")
    return Proof(then, "verified", f"its {now} is right for these bytes, with a secret that is valid today")
