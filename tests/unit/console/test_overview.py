"""What the overview says is wrong, from what services report and what was refused; and its bars."""

from console.pages.overview.alarms import alarms
from console.pages.overview.chart import BASE, GLYPH, TOP, chart, rounded_up
from console.pages.overview.page import parts
from console.pages.overview.wrong_signatures import FLOOD, SUSPICIOUS, is_failing, suspects
from console.queries.figures.rates import SIGNATURE_CAUSES, ProviderRates
from console.queries.quarantine import RECORDED_A_SECOND, SignatureFailures
from console.web.rendering.texts import catalogue
from console.web.services import ServiceStatus, parse, status
from gateway.intake.refusal_records import PUBLISHED_REFUSALS
from runtime.clients.loopback import Response

HOURS = [0, 1, 2, 3]
METRICS = b"""\
# HELP hookstream_lag_records Records
# TYPE hookstream_lag_records gauge
hookstream_lag_records{topic="webhooks.payment.v1"} 7.0
hookstream_lag_records{topic="orders.v1"} 3.0
hookstream_event_age_seconds{topic="webhooks.payment.v1"} 12.5
hookstream_event_age_seconds{topic="orders.v1"} 0.0
hookstream_dead_events 2.0
hookstream_retrying_events 1.0
hookstream_mails{status="unknown"} 4.0
hookstream_spool_refused 0.0
python_info{version="3.11"} 1.0
"""


def test_a_service_is_read_from_its_health_and_metrics() -> None:
    seen = status("payment", {"problems": ["the store fails"], "warnings": []}, Response(200, METRICS))

    assert (seen.lag, seen.age_s, seen.dead, seen.retrying, dict(seen.mails)) == (10, 12.5, 2, 1, {"unknown": 4})
    assert not seen.is_ready
    assert not seen.spool_refused
    assert len(parse(METRICS.decode())) == 8


def test_a_mail_server_that_answers_no_mail_for_15_s_may_be_stuck() -> None:
    metrics = METRICS + b"hookstream_mail_server_silent_seconds 15.0\nhookstream_oldest_mail_seconds 9000.0\n"
    seen = status("notifier", {"problems": []}, Response(200, metrics))

    found = [alarm for alarm in alarms([seen], {}, {}) if alarm.key.startswith("alarm.mails")]

    assert [(alarm.key, alarm.tone, alarm.path) for alarm in found][-1:] == [
        ("alarm.mails_stuck", "warn", "/mails?status=queued")
    ]
    (message,) = parts([seen], {})["smtp"]
    assert catalogue().text("en", message.key, **message.values) == "notifier: no answer for 15.0 s"
    assert catalogue().text("ko", message.key, **message.values) == "notifier: 15.0초 동안 응답이 없습니다"


def test_a_mail_server_that_answers_is_not_stuck_however_long_a_mail_waits() -> None:
    def found(**seconds: float) -> list[str]:
        seen = ServiceStatus("notifier", reachable=True, **seconds)  # type: ignore[arg-type]
        return [alarm.key for alarm in alarms([seen], {}, {})]

    assert found(mail_silent_s=14, oldest_mail_s=599) == []
    assert found(oldest_mail_s=601) == ["alarm.mails_late"]


def test_a_part_that_does_not_answer_the_console_itself_is_named() -> None:
    found = parts([], {"kafka": "Kafka does not answer: Local: Broker transport failure"})

    (message,) = found["kafka"]
    shown = catalogue().text("en", message.key, **message.values)
    assert shown == "console: Kafka does not answer: Local: Broker transport failure"
    assert not found["registry"]


def test_metrics_that_are_refused_count_nothing() -> None:
    assert status("payment", {"problems": []}, Response(401, METRICS)).lag == 0


def test_nothing_is_wrong_with_services_that_are_ready() -> None:
    assert alarms([ServiceStatus("payment", reachable=True)], {}, {}) == []


def test_what_is_wrong_is_named_the_worst_first() -> None:
    found = alarms(
        [
            ServiceStatus("gateway", reachable=True, spooled=3),
            ServiceStatus("payment", reachable=True, dead=2, retrying=1, age_s=400, lag=9),
            ServiceStatus("refund", reachable=False),
            ServiceStatus("notifier", reachable=True, mails={"unknown": 1, "stale": 2}),
        ],
        {},
        {"payment": 2, "refund": 0},
    )

    assert [alarm.tone for alarm in found] == sorted((alarm.tone for alarm in found), key=lambda tone: tone != "bad")
    assert {alarm.key for alarm in found if alarm.tone == "bad"} == {
        "alarm.unreachable",
        "alarm.dead",
        "alarm.behind",
        "alarm.mails_unknown",
    }
    assert {alarm.key for alarm in found if alarm.tone == "warn"} == {
        "alarm.spooled",
        "alarm.retrying",
        "alarm.mails_stale",
    }


def test_a_wrong_secret_is_suspected_when_more_is_refused_for_signatures_than_accepted() -> None:
    def rates(accepted: int, refused: int, cause: str, hour: int = 3) -> ProviderRates:
        made = ProviderRates()
        made.accepted[hour], made.refused[hour], made.causes[cause] = accepted, refused, refused
        made.wrong_signatures[hour] = refused if cause in SIGNATURE_CAUSES else 0
        return made

    suspected = {
        "toss": rates(0, SUSPICIOUS, "invalid_signature"),
        "stripe": rates(100, SUSPICIOUS, "invalid_signature"),
        "generic": rates(0, SUSPICIOUS - 1, "invalid_signature"),
        "naverpay": rates(0, 50, "too_large"),
        "inicis": rates(0, 50, "invalid_signature", hour=0),
    }

    assert suspects(suspected, HOURS[-2:]) == {"toss"}


MINUTES = 600_000_000


def shown(failures: SignatureFailures, language: str = "en") -> str:
    (alarm,) = alarms([], {"generic": failures}, {})
    return catalogue().text(language, alarm.key, **alarm.values)  # type: ignore[arg-type]


def test_a_flood_may_be_forged_and_the_alarm_says_from_where_and_within_which_time() -> None:
    flood = SignatureFailures(MINUTES, 110, 2, "203.0.113.9", 100)

    assert is_failing(flood)
    assert not is_failing(SignatureFailures(MINUTES, FLOOD - 1, 1, "203.0.113.9", FLOOD - 1))
    assert shown(flood) == (
        "110 requests of Generic webhook were refused within 10 min for their signature, from 2 addresses, most from"
        " 203.0.113.9 (100). No retired secret would prove them: they may be forged, or the provider has a new secret."
    )


def test_the_alarm_about_a_flood_that_was_recorded_in_part_says_at_least() -> None:
    capped = SignatureFailures(MINUTES, 110, 1, None, 110, is_capped=True)

    assert shown(capped).startswith("At least 110 requests")
    assert "적어도 110건이" in shown(capped, "ko")
    assert PUBLISHED_REFUSALS[0] == RECORDED_A_SECOND


def test_the_alarm_about_a_rotation_names_the_retired_secret_that_proves_requests() -> None:
    rotated = SignatureFailures(MINUTES, 3, 1, "203.0.113.9", 3, retired=2, fingerprint="0123abcd")

    assert is_failing(rotated)
    assert "The one before (0123abcd) would prove 2 of them" in shown(rotated)
    assert "이전 비밀 키(0123abcd)" in shown(rotated, "ko")


def test_refusals_of_this_hour_for_another_cause_are_not_added_to_wrong_signatures_of_the_night() -> None:
    rates = ProviderRates()
    rates.refused |= {0: 50, 3: 50}
    rates.causes |= {"invalid_signature": 50, "too_large": 50}
    rates.wrong_signatures[0] = 50

    assert suspects({"toss": rates}, HOURS[-2:]) == set()


def test_a_problem_names_the_part_it_is_of() -> None:
    services = [
        ServiceStatus("payment", reachable=True, problems=("the store fails: OperationalError",)),
        ServiceStatus("refund", reachable=True, problems=("has not joined its consumer group yet",)),
        ServiceStatus("notifier", reachable=True, warnings=("the mail server does not answer",)),
    ]

    found = parts(services, {})

    assert {part for part, problems in found.items() if problems} == {"store", "kafka", "smtp"}


def test_bars_are_stacked_within_their_scale() -> None:
    (first, second), top, _ = chart([0, 1], {0: 3, 1: 1}, {0: 4})

    assert top == 10
    assert first.refused_y + first.refused_height == first.accepted_y
    assert first.accepted_y + first.accepted_height == BASE
    assert second.refused_height == 0
    assert first.refused_y >= TOP


def test_the_label_of_the_scale_fits_beside_the_bars() -> None:
    for most in (1, 7, 1234, 987_654):
        made = chart([0], {0: most}, {})
        assert made.left >= GLYPH * len(f"{made.top:,}")
        assert made.bars[0].x >= made.left


def test_a_scale_ends_at_a_round_number() -> None:
    assert [rounded_up(most) for most in (0, 1, 2, 3, 7, 11, 50, 51, 1234)] == [1, 1, 2, 5, 10, 20, 50, 100, 2000]
