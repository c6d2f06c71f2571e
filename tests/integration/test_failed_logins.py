"""Failed logins are counted in the store: by user and address, by user, and by address, within a window of time."""

import pytest
from sqlalchemy import Engine

from console.login import failed_logins
from console.login.failed_logins import MOST_BY_ADDRESS, MOST_BY_USER_AND_ADDRESS, WINDOW_S
from tests.integration.test_console_counts import log_store

__all__ = ["log_store"]
HERE, ELSEWHERE = "203.0.113.1", "203.0.113.2"


def fail(store: Engine, user: str, address: str, times: int = 1) -> None:
    for _ in range(times):
        with store.begin() as tx:
            failed_logins.record_failure(tx, user, address)


def wait(store: Engine, user: str, address: str) -> float:
    with store.connect() as tx:
        return failed_logins.wait(tx, user, address)


def age(store: Engine, seconds: int) -> None:
    """Let all failures have happened so much earlier."""
    with store.begin() as tx:
        tx.exec_driver_sql("UPDATE failed_logins SET failed_at = failed_at - %s * interval '1 second'", (seconds,))


def test_a_user_waits_at_one_address_until_the_window_has_passed(log_store: Engine) -> None:
    fail(log_store, "kim", HERE, MOST_BY_USER_AND_ADDRESS - 1)
    assert wait(log_store, "kim", HERE) == 0

    fail(log_store, "kim", HERE)

    assert 0 < wait(log_store, "kim", HERE) <= WINDOW_S
    assert wait(log_store, "kim", ELSEWHERE) == 0
    assert wait(log_store, "lee", HERE) == 0
    age(log_store, WINDOW_S + 1)
    assert wait(log_store, "kim", HERE) == 0


def test_the_wait_ends_when_the_first_of_the_failures_leaves_the_window(log_store: Engine) -> None:
    fail(log_store, "kim", HERE)
    age(log_store, WINDOW_S // 2)
    fail(log_store, "kim", HERE, MOST_BY_USER_AND_ADDRESS - 1)

    assert wait(log_store, "kim", HERE) <= WINDOW_S // 2


@pytest.mark.parametrize("user", ["a\0b", "\udcff", "비밀번호"])
def test_any_name_is_counted_and_none_is_stored(log_store: Engine, user: str) -> None:
    fail(log_store, user, HERE, MOST_BY_USER_AND_ADDRESS)

    assert wait(log_store, user, HERE) > 0
    with log_store.connect() as tx:
        assert user not in tx.exec_driver_sql("SELECT limit_key FROM failed_logins").scalars().all()


def test_a_guesser_of_many_users_is_limited_by_address(log_store: Engine) -> None:
    for number in range(MOST_BY_ADDRESS):
        fail(log_store, f"user {number}", HERE)

    assert wait(log_store, "somebody else", HERE) > 0
    assert wait(log_store, "somebody else", ELSEWHERE) == 0


def test_a_login_forgets_the_failures_of_that_user_at_that_address_alone(log_store: Engine) -> None:
    fail(log_store, "kim", HERE, MOST_BY_USER_AND_ADDRESS)
    with log_store.begin() as tx:
        failed_logins.record_success(tx, "kim", HERE)

    assert wait(log_store, "kim", HERE) == 0
    for number in range(MOST_BY_ADDRESS - MOST_BY_USER_AND_ADDRESS):
        fail(log_store, f"user {number}", HERE)
    assert wait(log_store, "kim", HERE) > 0  # by address, the failures still count


def test_failures_that_have_left_the_window_are_deleted(log_store: Engine) -> None:
    fail(log_store, "kim", HERE)
    age(log_store, WINDOW_S + 1)

    fail(log_store, "lee", ELSEWHERE)

    with log_store.connect() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM failed_logins").scalar_one() == 3
