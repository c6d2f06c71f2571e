"""A JSON body as JavaScript would write it again: what some senders sign instead of the bytes they post."""

import json


def compacted(payload: bytes) -> bytes | None:
    """What JSON.stringify makes of the parsed body, where that differs from the bytes sent."""
    try:
        parsed = json.loads(payload, parse_float=_as_javascript)
        compact = json.dumps(parsed, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):  # whoever posts nonsense is told that he is not the shop, no more
        return None
    return compact if compact != payload else None


def _as_javascript(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 1e21 else number  # noqa: PLR2004 - ECMA-262 §6.1.6.1.20
