"""Who may ask: whoever has the console's token; a customer's screen has one that opens that customer's balance."""

import hmac

BEARER = "bearer "


def balance_token(console_token: str, customer_id: str) -> str:
    """What a customer's screen is given, so that the console's own token need not leave the shop's servers."""
    return hmac.digest(console_token.encode(), f"balance\n{customer_id}".encode(), "sha256").hex()


def permits(console_token: str, given: str) -> bool:
    """Whether this opens the console."""
    return hmac.compare_digest(given.encode(errors="replace"), console_token.encode())


def permits_balance(console_token: str, given: str, customer_id: str) -> bool:
    """Whether this opens the balance of a customer."""
    own = permits(balance_token(console_token, customer_id), given)
    return permits(console_token, given) or own


def token(authorization: str, in_query: str = "") -> str:
    """The token of a request: a bearer token, else what its URL says."""
    if authorization.lower().startswith(BEARER):
        return authorization[len(BEARER) :].strip()
    return in_query
