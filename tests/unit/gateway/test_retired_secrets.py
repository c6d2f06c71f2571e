"""A request signed with a retired secret is refused like any forgery; the record of the refusal names the secret."""

import pytest

from gateway.http.refusals import Refusal
from gateway.intake.authentication import RETIRED_TRIES, Authentication
from gateway.intake.refusal_records import PUBLISHED_REFUSALS, PublishingLimit
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Received
from runtime.config.secrets import fingerprint
from simulator import signing
from tests.unit.providers.posted import NOW
from tests.unit.runtime.test_logging import logged

BODY = b'{"orderId": "1", "status": "completed"}'
LIVE, RETIRED, UNKNOWN = (letter * 32 for letter in "abc")
PROVIDER = catalogue.BY_NAME["generic"]


def an_authentication(**given: str) -> Authentication:
    settings = {"kafka_bootstrap_servers": "localhost:1", "mode": "test", "webhook_secret": LIVE}
    return Authentication(GatewaySettings(**{**settings, **given}))  # type: ignore[arg-type]


def a_request(secret: str, source: str | None = None) -> Received:
    headers = {name.lower(): value for name, value in signing.sign(PROVIDER, BODY, secret.encode(), NOW).items()}
    return Received("/webhooks/payment", headers, BODY, NOW, None, source)


def refusal(authentication: Authentication, request: Received) -> Refusal:
    with pytest.raises(Refusal) as refused:
        authentication.authenticate(PROVIDER, request)
    return refused.value


def test_a_retired_secret_proves_nothing_and_is_named_by_its_fingerprint() -> None:
    authentication = an_authentication(webhook_secret_retired=f"{UNKNOWN}x, {RETIRED}")

    retired, forged = (refusal(authentication, a_request(secret)) for secret in (RETIRED, UNKNOWN))

    assert retired.retired_secret == fingerprint(RETIRED.encode())
    assert forged.retired_secret is None
    assert (retired.cause, retired.answer()) == (forged.cause, forged.answer())
    assert authentication.authenticate(PROVIDER, a_request(LIVE)) == "signature"


def test_the_log_names_the_retired_secret() -> None:
    program = """
from gateway.http.refusals import Refusal
from gateway.intake.refusal_records import RefusalRecords
refusal = Refusal('unavailable', 'no Kafka is needed to log this')
refusal.retired_secret = '0123abcd'
RefusalRecords(None, None).add(refusal, 'generic', 503, {}, b'', None)
"""

    (line,) = logged(program)

    assert (line["event"], line["fingerprint"]) == ("webhook.refused", "0123abcd")


def test_a_secret_that_is_still_valid_is_not_retired() -> None:
    authentication = an_authentication(webhook_secret_retired=LIVE)

    assert authentication.authenticate(PROVIDER, a_request(LIVE)) == "signature"
    assert authentication.fingerprints(PROVIDER) == ([fingerprint(LIVE.encode())], [])


def test_a_request_without_a_signature_is_not_compared() -> None:
    authentication = an_authentication(webhook_secret_retired=RETIRED)

    assert refusal(authentication, Received("/webhooks/payment", {}, BODY, NOW)).retired_secret is None


def test_a_flood_of_forgeries_is_compared_at_a_limited_rate() -> None:
    authentication = an_authentication(webhook_secret_retired=RETIRED)
    burst = int(RETIRED_TRIES[1])

    named = [refusal(authentication, a_request(RETIRED)).retired_secret for _ in range(3 * burst)]

    assert None not in named[:burst]
    assert None in named


def test_a_flood_from_elsewhere_does_not_hide_that_a_provider_signs_with_a_retired_secret() -> None:
    authentication = an_authentication(webhook_secret_retired=RETIRED)
    for _ in range(3 * int(RETIRED_TRIES[1])):
        refusal(authentication, a_request(UNKNOWN, "203.0.113.9"))

    named = refusal(authentication, a_request(RETIRED, "198.51.100.7"))

    assert named.retired_secret == fingerprint(RETIRED.encode())


def test_a_refusal_that_a_retired_secret_proves_is_published_during_a_flood_and_is_limited_itself() -> None:
    limit, forged, proven = (
        PublishingLimit(),
        Refusal("invalid_signature", "forged"),
        Refusal("invalid_signature", "old"),
    )
    proven.retired_secret = fingerprint(RETIRED.encode())
    burst = int(PUBLISHED_REFUSALS[1])

    assert [limit.permits(forged, 1.0) for _ in range(burst + 1)] == [True] * burst + [False]
    assert [limit.permits(proven, 1.0) for _ in range(burst + 1)] == [True] * burst + [False]
