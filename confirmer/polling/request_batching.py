"""Which requests a set of questions makes: what would be asked twice is asked once. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from confirmer.store import Claimed
from confirmer.verdict import ERROR_CHARS, Unbuildable
from providers.contract import ApiRequest, ApiVerification
from stream.events import UnconfirmedWebhook

Open = tuple[Claimed, UnconfirmedWebhook]
"""A claimed question with its receipt."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and the questions its answer is for."""

    ask: ApiRequest | Unbuildable
    questions: list[Open] = field(default_factory=list)


def made_of(questions: Iterable[Open], inquiry: ApiVerification, key: str) -> list[Request]:
    """A request for each thing that is asked, however many ask for it."""
    requests: dict[object, Request] = {}
    for question in questions:
        ask = _ask(question, inquiry, key)
        same = (ask.method, ask.path, ask.body) if isinstance(ask, ApiRequest) else question[0].receipt_id
        requests.setdefault(same, Request(ask)).questions.append(question)
    return list(requests.values())


def _ask(question: Open, inquiry: ApiVerification, key: str) -> ApiRequest | Unbuildable:
    try:
        return inquiry.build_request(question[1].notice, key)
    except Exception as broken:  # noqa: BLE001 - what nobody signed can hold anything, and must not end the others
        return Unbuildable(f"no request can be made of it ({type(broken).__name__})"[:ERROR_CHARS])
