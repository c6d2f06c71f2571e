"""The bad-input matrix as requests: one that is accepted, and the changes that make each of the others.

Left out, because contract A has nothing of the kind: B07 to B09 (lists and versions of signatures), B11 to B13 (signed
times), B14 and B15 (the header webhook-id). All variants of B29 to B32 are in tests/unit/providers.
"""

import hmac
from dataclasses import dataclass

HOST = b"Host: shop.test\r\n"
TYPE = b"Content-Type: application/json\r\n"
SIGNATURE = b"X-Webhook-Signature: SIGNED\r\n"
LENGTH = b"Content-Length: LENGTH\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
REQUEST = b"POST /webhooks/payment HTTP/1.1\r\n" + HOST + TYPE + SIGNATURE + LENGTH + b"\r\nBODY"
BODY = b'{"orderId":"ORDER","status":"completed"}'
LIMIT = 262_144
ORDER_CHARS = 14


@dataclass(frozen=True)
class Row:
    """One request of the matrix, and the status and cause of its answer.

    `cause` is None for an accepted request, and for a refusal by the HTTP server itself, which gives none. `changes`
    are replacements (old, new) in REQUEST. In a body, ORDER stands for the order id.
    """

    name: str
    status: int
    cause: str | None
    changes: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = BODY

    def as_bytes(self, order: str, secret: str) -> bytes:
        """Return the whole request for an order, signed with `secret`."""
        body, raw = self.body_of(order), REQUEST
        for old, new in self.changes:
            assert old in raw
            raw = raw.replace(old, new)
        for name, value in {
            b"SIGNED": _signature(secret, body),
            b"FORGED": _signature("another secret", body),
            b"LENGTH": str(len(body)).encode(),
            b"CHUNK": b"%x\r\n%s\r\n" % (len(body), body),
            b"BODY": body,
        }.items():
            raw = raw.replace(name, value)
        return raw

    def body_of(self, order: str) -> bytes:
        """Return the body for an order."""
        assert len(order) == ORDER_CHARS
        return self.body.replace(b"ORDER", order.encode())


def _signature(secret: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), body, "sha256").hexdigest().encode()


def head(name: str, status: int, cause: str | None, *changes: tuple[bytes, bytes]) -> Row:
    """Return a row whose request has the usual body and a changed head."""
    return Row(name, status, cause, changes)


def more(header: bytes) -> tuple[bytes, bytes]:
    """Return the change that adds a header."""
    return HOST, HOST + header + b"\r\n"


def chunked(name: str, status: int, cause: str | None, chunks: bytes, coding: bytes = CHUNKED) -> Row:
    """Return a row whose request has a chunked body: `chunks`, in which CHUNK stands for the usual body as a chunk."""
    return Row(name, status, cause, ((LENGTH, coding), (b"BODY", chunks)))


def refused_field(name: str, cause: str, field: bytes) -> Row:
    """Return a row that is refused with 400 because of one more field in the body, as in `"name":value`."""
    return Row(name, 400, cause, body=BODY[:-1] + b"," + field + b"}")


def accepted_field(name: str, field: bytes) -> Row:
    """Return a row that is accepted although its body has one more field, as in `"name":value`."""
    return Row(name, 200, None, body=BODY[:-1] + b"," + field + b"}")


def path(to: bytes) -> tuple[bytes, bytes]:
    """Return the change that replaces the path."""
    return b"/webhooks/payment", to


PAD = b" " * (LIMIT - len(BODY) - ORDER_CHARS + len(b"ORDER"))

ACCEPTED = [
    head("B01 signed", 200, None),
    Row("B34 unknown fields", 200, None, body=BODY[:-1] + b',"new":{"a":[1]}}'),
    Row("B36 256 KiB", 200, None, body=BODY + PAD),
    # hyper merges two equal lengths: the ASGI application sees one header.
    head("B40 two equal lengths", 200, None, (LENGTH, LENGTH * 2)),
    # hyper reads the chunks, drops the length before the gateway sees it, and closes the connection after the answer.
    head("B43 length and chunks", 200, None, (LENGTH, LENGTH + CHUNKED), (b"BODY", b"CHUNK0\r\n\r\n")),
    chunked("B44 chunks", 200, None, b"CHUNK0\r\n\r\n"),
    chunked("B50 a short chunk extension", 200, None, b"CHUNK0;a=b\r\n\r\n"),
    # hyper takes a bare line feed for a line's end.
    head("B51 bare line feeds", 200, None, (b"\r\n", b"\n")),
    # Nothing here depends on the host's name.
    head("B57 another host", 200, None, (b"shop.test", b"evil.test")),
    head("B58 HTTP/1.0", 200, None, (b"HTTP/1.1", b"HTTP/1.0")),
    head("B58 HTTP/1.0 without a host", 200, None, (b"HTTP/1.1", b"HTTP/1.0"), (HOST, b"")),
    head("B62 a hundred headers", 200, None, more(b"\r\n".join(b"X-%d: a" % n for n in range(96)))),
    head("B75 an upgrade to HTTP/2", 200, None, more(b"Connection: Upgrade\r\nUpgrade: h2c")),
    head("B77 an escaped letter", 200, None, path(b"/webhooks/%70ayment")),  # the same path by RFC 3986 §6.2.2.2
    head("B79 an absolute address", 200, None, path(b"http://evil.test/webhooks/payment")),
    head("B81 a charset", 200, None, (b"/json", b"/json; charset=utf-8")),
    head("B81 any parameter", 200, None, (b"/json", b"/json;charset=utf8; v=1")),
    head("B81 a kind of JSON", 200, None, (b"/json", b"/vnd.shop+json")),
    Row("B22 a byte order mark", 200, None, body=b"\xef\xbb\xbf" + BODY),
    accepted_field("B24 half a surrogate", b'"x":"\\ud800"'),
    accepted_field("B25 NUL", b'"x":"\\u0000"'),
    *(accepted_field(f"B29 amount {x.decode()}", b'"amount":' + x) for x in (b"1.0", b"1e2", b"5.8E4", b'""')),
    accepted_field("B31 year 9999", b'"paidAt":"9999-01-01T00:00:00Z"'),
    accepted_field("B31 year 1900", b'"paidAt":"1900-01-01T00:00:00Z"'),
    accepted_field("B31 no zone", b'"paidAt":"2026-01-01T00:00:00"'),
    accepted_field("B31 no seconds", b'"paidAt":"2026-01-01T00:00+09:00"'),
    *(Row(f"B32 order {x!r}", 200, None, body=BODY.replace(b"ORDER", x)) for x in (b"../ORDER", "ORDER 😀".encode())),
]

REFUSED = [
    head("B03 no signature", 401, "invalid_signature", (SIGNATURE, b"")),
    head("B04 a wrong signature", 401, "invalid_signature", (b"SIGNED", b"a" * 64)),
    head("B05 an empty signature", 401, "invalid_signature", (b"SIGNED", b"")),
    head("B06 no ASCII", 401, "invalid_signature", (b"SIGNED", b"\xff\xe9")),
    head("B10 another secret's", 401, "invalid_signature", (b"SIGNED", b"FORGED")),
    head("B16 two signatures", 400, "malformed_request", (SIGNATURE, SIGNATURE * 2)),
    head("B16 two names for it", 400, "malformed_request", more(b"Idempotency-Key: a\r\nIdempotency-Key: b")),
    Row("B37 256 KiB and one", 413, "body_too_large", body=BODY + PAD + b" "),
    chunked("B37 in one chunk", 413, "body_too_large", b"80000\r\n" + b" " * 0x80000 + b"\r\n0\r\n\r\n"),
    head("B38 10 GB published", 413, "body_too_large", (b"LENGTH", b"10000000000"), (b"BODY", b"")),
    # hyper reads the length itself: what it cannot read it answers with 400 and nothing else.
    *(head(f"B39 length {length!r}", 400, None, (b"LENGTH", length)) for length in (b"abc", b"-1", b"+7", b"0_7", b"")),
    head("B41 two lengths", 400, None, (LENGTH, LENGTH + b"Content-Length: 7\r\n")),
    head("B42 a list of lengths", 400, None, (b"LENGTH", b"7, 7")),
    chunked("B45 xchunked", 400, None, b"CHUNK0\r\n\r\n", b"Transfer-Encoding: xchunked\r\n"),
    chunked("B45 chunked, identity", 400, None, b"CHUNK0\r\n\r\n", b"Transfer-Encoding: chunked, identity\r\n"),
    chunked("B45 space before the colon", 400, None, b"CHUNK0\r\n\r\n", b"Transfer-Encoding : chunked\r\n"),
    chunked("B45 twice", 400, "malformed_request", b"CHUNK0\r\n\r\n", CHUNKED * 2),
    chunked("B46 gzip, chunked", 400, "malformed_request", b"CHUNK0\r\n\r\n", b"Transfer-Encoding: gzip, chunked\r\n"),
    chunked("B47 a bad chunk size", 400, "malformed_request", b"ZZ\r\nBODY\r\n0\r\n\r\n"),
    chunked("B48 a bad chunk end", 400, "malformed_request", b"2\r\n{}XX0\r\n\r\n"),
    chunked("B49 an endless chunk size", 400, "malformed_request", b"F" * 17 + b"\r\nBODY"),
    chunked("B50 20 KB of chunk extension", 400, "malformed_request", b"2;" + b"x" * 20_000 + b"\r\n{}\r\n0\r\n\r\n"),
    head("B52 a folded header", 400, None, more(b"X-A: a\r\n b")),
    head("B53 no colon", 400, None, more(b"Nonsense")),
    head("B53 space before the colon", 400, None, more(b"X-A : b")),
    head("B53 NUL", 400, None, more(b"X-A: a\0b")),
    head("B53 bare CR", 400, None, more(b"X-A: a\rb")),
    head("B53 a space in the name", 400, None, more(b"X A: b")),
    head("B54 no host", 400, "malformed_request", (HOST, b"")),
    head("B54 an empty host", 400, "malformed_request", (HOST, b"Host:\r\n")),
    head("B55 two hosts", 400, "malformed_request", (HOST, HOST * 2)),
    head("B56 a host with a space", 400, "malformed_request", (b"shop.test", b"a b")),
    head("B59 HTTP/2.0", 400, None, (b"HTTP/1.1", b"HTTP/2.0")),
    head("B59 HTTP/9.9", 400, None, (b"HTTP/1.1", b"HTTP/9.9")),
    head("B60 a TLS hello", 400, None, (REQUEST, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64))),
    head("B60 garbage", 400, None, (REQUEST, b"\x00\xff garbage\r\n\r\n")),
    head("B61 a header of 20 KB", 431, "headers_too_large", more(b"X-A: " + b"a" * 20_000)),
    head("B61 a header of 200 KB", 431, None, more(b"X-A: " + b"a" * 200_000)),
    # hyper has no room for more than a hundred, so it is the one that refuses.
    head("B62 a thousand headers", 431, None, more(b"\r\n".join(b"X-%d: a" % n for n in range(1000)))),
    head("B64 an address of 10 KB", 414, "uri_too_long", path(b"/webhooks/payment?" + b"a" * 10_000)),
    head("B64 an address of 100 KB", 414, None, path(b"/webhooks/payment?" + b"a" * 100_000)),
    head("B71 Expect: foo", 417, "expectation_failed", more(b"Expect: foo")),
    *(
        head(f"B72 {method.decode()}", 405, "method_not_allowed", (b"POST", method))
        for method in (b"GET", b"PUT", b"HEAD", b"TRACE", b"DELETE", b"PATCH", b"post")
    ),
    head("B74 CONNECT", 404, "unknown_path", (b"POST /webhooks/payment", b"CONNECT evil.test:443")),
    head(
        "B75 a web socket",
        405,
        "method_not_allowed",
        (b"POST", b"GET"),
        more(b"Connection: Upgrade\r\nUpgrade: websocket"),
    ),
    head("B76 an unknown provider", 404, "unknown_path", path(b"/webhooks/nobody")),
    head("B77 dots", 404, "unknown_path", path(b"/webhooks/../webhooks/payment")),
    head("B77 escaped dots", 404, "unknown_path", path(b"/webhooks/%2e%2e%2fpayment")),
    head("B77 a broken escape", 404, "unknown_path", path(b"/webhooks/%ff%zz")),
    head("B78 a slash at the end", 404, "unknown_path", path(b"/webhooks/payment/")),
    head("B78 two slashes", 404, "unknown_path", path(b"//webhooks/payment")),
    head("B80 text", 415, "unsupported_media_type", (b"application/json", b"text/plain")),
    head("B80 a form", 415, "unsupported_media_type", (b"application/json", b"application/x-www-form-urlencoded")),
    head("B80 no type", 415, "unsupported_media_type", (TYPE, b"")),
    head("B81 a broken parameter", 415, "unsupported_media_type", (b"/json", b"/json; charset")),
    head("B82 gzip", 415, "unsupported_media_type", more(b"Content-Encoding: gzip")),
    head("411 no length", 411, "length_required", (LENGTH, b""), (b"BODY", b"")),
]

UNREADABLE = [
    Row("B17 empty", 400, "malformed_body", body=b""),
    Row("B18 null", 400, "invalid_field", body=b"null"),
    Row("B18 a list", 400, "invalid_field", body=b"[1]"),
    Row("B18 a text", 400, "invalid_field", body=b'"x"'),
    Row("B19 truncated", 400, "malformed_body", body=BODY[:-5]),
    *(refused_field(f"B20 {x.decode()}", "malformed_body", b'"x":' + x) for x in (b"NaN", b"Infinity", b"0x1", b"01")),
    Row("B20 text behind it", 400, "malformed_body", body=BODY + b"x"),
    refused_field("B21 a key twice", "invalid_field", b'"status":"failed"'),
    refused_field("B21 a key twice, once escaped", "invalid_field", b'"st\\u0061tus":"failed"'),
    Row("B22 UTF-16", 400, "malformed_body", body=BODY.decode().encode("utf-16")),
    refused_field("B23 no UTF-8", "malformed_body", b'"paymentMethod":"\xff"'),
    refused_field("B23 no UTF-8 where we do not read", "malformed_body", b'"x":"\xff"'),
    refused_field("B23 no UTF-8 in an amount", "malformed_body", b'"amount":"\xff"'),
    refused_field("B26 100,000 levels", "malformed_body", b'"x":' + b"[" * 100_000 + b"]" * 100_000),
    refused_field("B27 4,000 digits", "invalid_field", b'"amount":' + b"9" * 4000),
    refused_field("B28 4,301 digits", "invalid_field", b'"x":"\\n","y":' + b"9" * 4301),
    refused_field("B28 1e400", "invalid_field", b'"x":1e400'),
    *(
        refused_field(f"B29 amount {x.decode()}", "invalid_field", b'"amount":' + x)
        for x in (b"1.5", b'"1"', b"true", b"1e-2")
    ),
    *(refused_field(f"B30 amount {x.decode()}", "invalid_field", b'"amount":' + x) for x in (b"-1", b"0")),
    Row("B32 no order", 400, "invalid_field", body=b'{"status":"completed"}'),
    *(
        Row(f"B32 order {x[-7:]!r}", 400, "invalid_field", body=BODY.replace(b"ORDER", x))
        for x in (b"ORDER\\n", b"x" * 10_240, "\u2028ORDER".encode())
    ),
    # For other providers an event we do not know is kept and answered 200; contract A lists its statuses.
    Row("B33 an unknown status", 400, "invalid_field", body=BODY.replace(b"completed", b"exploded")),
    Row(
        "B35 an address with a line break",
        400,
        "invalid_field",
        (path(b"/webhooks/order"),),
        b'{"orderId":"ORDER","customerEmail":"a@b.c\\nBcc: d@e.f"}',
    ),
]
