"""SweetTracker (스마트택배): one callback per scan, as a form or JSON, authenticated by a token in the URL.

There is no public specification; it is known only from an integrator's code. The body has names, telephone numbers and
addresses of people: none is passed on, and a location that repeats one is left out.
Level -99 is a scan error and changes nothing: the response is `fail`.
"""

import re

import msgspec

from providers.contract import Provider, Received, Translation
from providers.parsing import carriers, form, json_body, parcels
from providers.parsing.fields import ABSENT, AnyJson, Id, Instant, Text
from providers.parsing.timestamps import korean
from providers.responses import WebhookResponse, json_response
from providers.signing import url_token
from stream.events import ShippingStatus
from stream.events.text.json_text import BOM

LEVELS: dict[str, ShippingStatus] = {
    "1": "preparing",
    "2": "in_transit",
    "3": "in_transit",
    "4": "in_transit",
    "5": "out_for_delivery",
    "6": "delivered",
}
"""Level → status. SweetTracker calls the levels 배송준비 · 집화완료 · 배송진행 · 지점도착 · 배송출발 · 배송완료."""
ENCODINGS = ("utf-8", "cp949")
PERSONAL = ("telno_office", "telno_man", "recv_addr", "recv_name", "send_name", "man")
SUCCESS = json_response(200, {"code": True, "message": "success"})
FAIL = json_response(200, {"code": False, "message": "fail"})
_TELEPHONE = re.compile(r"\d{2,4}[-) .]\d{3,4}[- .]\d{4}")


class ScanCallback(msgspec.Struct):
    """A callback. The personal fields are read only to keep them out of the location."""

    invoice_no: Id
    level: int | parcels.Word
    fid: Id | None = None
    comcode: parcels.Word | int | None = None
    time_trans: Instant = ABSENT
    where: Text | None = None
    telno_office: AnyJson = None
    telno_man: AnyJson = None
    recv_addr: AnyJson = None
    recv_name: AnyJson = None
    send_name: AnyJson = None
    man: AnyJson = None


_scan = msgspec.json.Decoder(ScanCallback)


def translate(received: Received, _kind: str) -> Translation:
    """Translate a callback, form or JSON.

    Raises Unsupported for a level that LEVELS does not list, Malformed or InvalidField for a body that cannot be read.
    """
    is_json = received.body.removeprefix(BOM).lstrip().startswith((b"{", b"["))
    fields = received.body if is_json else msgspec.json.encode(form.parameters(received.body, *ENCODINGS))
    scan = json_body.read(_scan, fields)
    level, number = str(scan.level).strip(), scan.invoice_no
    status = parcels.status(LEVELS, level)
    at = korean(scan.time_trans, "time_trans")
    fid = (scan.fid or "").strip() or None
    payload = parcels.payload(
        carrier=carriers.by_sweettracker_code(str(scan.comcode or "").strip()),
        number=number,
        status=status,
        alias=fid,
        location=_location(scan),
        scanned_at=at,
    )
    # Without a time, only the digest distinguishes two scans of a level.
    event_id = None if at is None else "\n".join((fid or "", str(scan.comcode or ""), number, level, str(at)))
    return Translation(payload, f"level.{level}", at, event_id)


def _location(scan: ScanCallback) -> str | None:
    """Return where the scan was; None if that text has a telephone number or another personal field."""
    people = [value for field in PERSONAL if (value := str(getattr(scan, field) or "").strip())]
    text = scan.where or ""
    is_personal = _TELEPHONE.search(text) or any(value in text for value in people)
    return None if is_personal else parcels.location(text)


def _answer(_event_id: str, event_type: str) -> WebhookResponse:
    return FAIL if event_type == "unsupported_type" else SUCCESS


PROVIDER = Provider(
    name="sweettracker",
    paths={"/api/webhooks/sweettracker": "shipping"},
    secret_setting="SWEETTRACKER_WEBHOOK_SECRET",
    verify=url_token.verify,
    translate=translate,
    stored_headers=frozenset(),
    success_response=_answer,
    refusals=url_token.NOT_FOUND,
    takes_token=True,
    takes_forms=True,
    authentication="the token in the URL",
    events="one scan per webhook, levels 1 to 6; scan errors are quarantined",
)
