"""Tokens of the API: CONSOLE_TOKEN, and one for each customer that opens only that customer's balance."""

import hmac

BEARER = "bearer "


def balance_token(console_token: str, customer_id: str) -> str:
    """Return the token that a shop gives to a customer's browser, derived from the console's token."""
    return hmac.digest(console_token.encode(), f"balance\n{customer_id}".encode(), "sha256").hex()


def permits(console_token: str, given: str) -> bool:
    """Return whether `given` is the console's token, in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), console_token.encode())


def permits_balance(console_token: str, given: str, customer_id: str) -> bool:
    """Return whether `given` opens this customer's balance: it is the console's token or this customer's."""
    own = permits(balance_token(console_token, customer_id), given)
    return permits(console_token, given) or own


def token(authorization: str, in_query: str = "") -> str:
    """Return the bearer token of an Authorization header, else `in_query`, the token from the URL. Not verified."""
    if authorization.lower().startswith(BEARER):
        return authorization[len(BEARER) :].strip()
    return in_query
