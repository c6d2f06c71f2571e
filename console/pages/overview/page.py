"""The page of the overview."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import Connection

from console.pages.operations import own_failures
from console.pages.overview import wrong_signatures
from console.pages.overview.alarms import SILENT_S, alarms
from console.pages.overview.chart import chart
from console.queries.figures import rates
from console.web.page import Live, Message, Page, PageRequest
from console.web.rendering.texts import Reported
from console.web.services import ServiceStatus
from runtime.json_value import JsonValue

PARTS = {
    "store": ("store", "postgres", "database"),
    "kafka": ("kafka", "consumer group", "producer", "partition", "broker"),
    "smtp": ("smtp", "mail server"),
    "registry": ("registry", "schema"),
}
"""The parts that services depend on, with the words by which a service's problem names them."""


def view(tx: Connection, request: PageRequest) -> Mapping[str, JsonValue]:
    """Return the alarms, rates, delays and services, and the numbers that the overview shows."""
    services = request.services.statuses()
    deaths = _deaths(tx, services)
    hours, by_provider = rates.hours(request.now), rates.by_provider(tx, request.now)
    accepted, refused = Counter[int](), Counter[int]()
    for rate in by_provider.values():
        accepted.update(rate.accepted)
        refused.update(rate.refused)
    suspected = wrong_signatures.suspects(by_provider, hours[-2:])
    refusals = wrong_signatures.select(tx, request.now, suspected, hours[-2])
    to_row, to_mail = rates.delays(tx, request.now)
    return {
        "alarms": alarms(services, refusals, deaths),
        "services": services,
        "parts": parts(services, request.services.own_problems()),
        "providers": {name: (rate, chart(hours, rate.accepted, rate.refused)) for name, rate in by_provider.items()},
        "chart": chart(hours, accepted, refused),
        "accepted": accepted.total(),
        "refused": refused.total(),
        "unsuccessful": sum(rate.unsuccessful for rate in by_provider.values()),
        "to_row": to_row,
        "to_mail": to_mail,
        "verification_requests": rates.open_verification_requests(tx, request.now),
        "dead": sum(deaths.values()),
        "unknown_mails": sum(service.mails.get("unknown", 0) for service in services),
        "waiting_mails": sum(service.mails.get("waiting", 0) for service in services),
        "spooled": sum(service.spooled for service in services),
    }


def _deaths(tx: Connection, services: Iterable[ServiceStatus]) -> dict[str, int]:
    """Return the number of dead events by service; those of the console that another service reports count once."""
    deaths = {service.name: service.dead for service in services}
    if deaths.get(own_failures.SERVICE):
        deaths[own_failures.SERVICE] = own_failures.unreported(tx)
    return deaths


def parts(services: Iterable[ServiceStatus], own_problems: Mapping[str, str]) -> dict[str, list[Message]]:
    """Return the problems and warnings that services report by part of PARTS; an empty list if there are none.

    A problem counts for the first part that it names, for none if it names none. A mail server that has answered no
    mail for SILENT_S counts for `smtp`. `own_problems` are those that the console itself has with a part.
    """
    found: dict[str, list[Message]] = {part: [] for part in PARTS}
    for part, problem in own_problems.items():
        found[part].append(Message("alarm.problem", {"service": "console", "problem": Reported(problem)}))
    for service in services:
        if service.mail_silent_s >= SILENT_S:
            age = timedelta(seconds=service.mail_silent_s)
            found["smtp"].append(Message("overview.mails_unanswered", {"service": service.name, "age": age}))
        for problem in (*service.problems, *service.warnings):
            for part, words in PARTS.items():
                if any(word in problem.lower() for word in words):
                    found[part].append(
                        Message("alarm.problem", {"service": service.name, "problem": Reported(problem)})
                    )
                    break
    return found


PAGES = (Page("/", "overview.html", view, "overview", fragment="_overview.html"),)
LIVES = (Live("/live/overview", "_overview.html", view),)
