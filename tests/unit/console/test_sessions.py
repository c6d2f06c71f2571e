"""Sessions in signed cookies: what opens, what ends, what is refused."""

from console.login.sessions import ABSOLUTE_S, IDLE_S, REFRESH_S, Sessions

NOW = 1_800_000_000
SESSIONS = Sessions("a token of some length")


def test_a_session_is_read_from_its_cookie() -> None:
    session = SESSIONS.open(NOW, "kim", "mark")

    assert SESSIONS.read(SESSIONS.cookie(session), NOW + 1) == session
    assert Sessions("a token of some length").read(SESSIONS.cookie(session), NOW) == session


def test_a_cookie_that_was_changed_or_signed_by_others_is_none() -> None:
    session = SESSIONS.open(NOW, "kim", "mark")
    cookie = SESSIONS.cookie(session)

    for forged in ("", ".", cookie[:-1], "A" + cookie, Sessions("another token").cookie(session), cookie + "é"):
        assert SESSIONS.read(forged, NOW) is None


def test_a_session_ends_when_it_is_idle_or_old() -> None:
    session = SESSIONS.open(NOW, "kim", "mark")
    used = session
    for at in range(NOW, NOW + ABSOLUTE_S - 1, IDLE_S - 1):
        assert SESSIONS.read(SESSIONS.cookie(used), at) is not None
        used = SESSIONS.touched(used, at) or used

    assert SESSIONS.read(SESSIONS.cookie(session), NOW + IDLE_S) is None
    assert SESSIONS.read(SESSIONS.cookie(used), NOW + ABSOLUTE_S) is None
    assert SESSIONS.touched(session, NOW + REFRESH_S - 1) is None


def test_a_csrf_token_is_of_one_session() -> None:
    one, other = SESSIONS.open(NOW), SESSIONS.open(NOW)

    assert one.id != other.id
    assert SESSIONS.permits(one, SESSIONS.csrf_token(one))
    assert not SESSIONS.permits(one, SESSIONS.csrf_token(other))
    assert not SESSIONS.permits(one, "")
    assert not SESSIONS.permits(one, "ä")
