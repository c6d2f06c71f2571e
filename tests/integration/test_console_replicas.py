"""Two consoles on one store: what ends a session at one ends it at the other; whose failed logins are counted."""

import re
from http import HTTPStatus

from console.login import passwords
from tests.actors import until
from tests.consoles import another_console
from tests.person import Person

PASSWORD = "a password of some length"  # noqa: S105 - a test's
REFUSED = re.compile("거절됨.*끝낼 로그인도 없습니다")
USERS = f"kim:operator:{passwords.make_hash(PASSWORD)}\nlee:viewer:{passwords.make_hash(PASSWORD)}"


def is_in(person: Person, path: str = "/audit") -> bool:
    """Whether the page is shown, and not the login."""
    return person.ask("GET", path)[0] == HTTPStatus.OK


def test_sessions_end_at_every_replica(system: dict[str, str]) -> None:
    with another_console(system, CONSOLE_USERS=USERS) as one, another_console(system, CONSOLE_USERS=USERS) as other:
        kim, again, lee = Person(one), Person(one), Person(other)
        for person, name in ((kim, "kim"), (again, "kim"), (lee, "lee")):
            assert person.log_in(name, PASSWORD) == HTTPStatus.SEE_OTHER
        assert is_in(kim.at(other))

        stolen = kim.at(other)
        assert kim.ask("POST", "/logout", {"csrf": kim.csrf("/audit")})[0] == HTTPStatus.SEE_OTHER
        assert not is_in(stolen)
        assert is_in(again.at(other))  # another session of the same person

        token = again.csrf("/audit?user=lee")
        assert again.ask("POST", "/sessions/end", {"csrf": token, "user": "lee"})[0] == HTTPStatus.SEE_OTHER
        assert not is_in(lee)
        assert is_in(again)
        until(lambda: again.ask("GET", "/audit?action=sessions.end")[2], lambda page: ">lee<" in page)


def test_a_live_part_ends_with_its_session(system: dict[str, str]) -> None:
    with another_console(system, CONSOLE_USERS=USERS) as one, another_console(system, CONSOLE_USERS=USERS) as other:
        kim = Person(one)
        kim.log_in("kim", PASSWORD)
        with kim.at(other).opened("/live/overview") as part:
            assert part.status == HTTPStatus.OK
            assert part.readline()
            kim.ask("POST", "/logout", {"csrf": kim.csrf("/audit")})

            part.read()  # until its end

        assert kim.at(other).ask("GET", "/live/overview")[0] == HTTPStatus.UNAUTHORIZED


def test_a_removed_user_and_a_removed_role_have_an_effect_at_the_next_request(system: dict[str, str]) -> None:
    fewer = USERS.replace("kim:operator:", "kim:viewer:").partition("\nlee:")[0]
    with another_console(system, CONSOLE_USERS=USERS) as one, another_console(system, CONSOLE_USERS=fewer) as other:
        kim, lee = Person(one), Person(one)
        kim.log_in("kim", PASSWORD)
        lee.log_in("lee", PASSWORD)

        assert not is_in(lee.at(other))
        there = kim.at(other)
        assert is_in(there)
        token = there.csrf("/audit")
        assert there.ask("POST", "/sessions/end", {"csrf": token, "user": "lee"})[0] == HTTPStatus.FORBIDDEN


def test_failed_logins_count_by_the_address_that_a_trusted_proxy_names(system: dict[str, str]) -> None:
    def failures(url: str, users: list[str], addresses: list[str]) -> list[int]:
        pairs = zip(users, addresses, strict=True)
        return [Person(url, X_Forwarded_For=address).log_in(user, "a guess") for user, address in pairs]

    with another_console(system, CONSOLE_USERS=USERS, TRUSTED_PROXIES="127.0.0.1") as behind_proxy:
        one_address = failures(behind_proxy, [f"user{n}" for n in range(31)], ["203.0.113.1"] * 31)
        elsewhere = Person(behind_proxy, X_Forwarded_For="203.0.113.2").log_in("kim", PASSWORD)
        one_account = failures(behind_proxy, ["lee"] * 51, [f"198.51.100.{n}" for n in range(51)])
    with another_console(system, CONSOLE_USERS=USERS) as without_proxy:
        pretended = failures(without_proxy, ["mallory"] * 6, [f"198.51.100.{n}" for n in range(6)])

    assert one_address == [HTTPStatus.UNAUTHORIZED] * 30 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert elsewhere == HTTPStatus.SEE_OTHER
    assert one_account == [HTTPStatus.UNAUTHORIZED] * 50 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert pretended == [HTTPStatus.UNAUTHORIZED] * 5 + [HTTPStatus.TOO_MANY_REQUESTS]


def test_failed_logins_count_at_all_replicas_together(system: dict[str, str]) -> None:
    with another_console(system, CONSOLE_USERS=USERS) as one, another_console(system, CONSOLE_USERS=USERS) as other:
        answers = [Person(url).log_in("trudy", "a guess") for url in (one, other, one, other, one, other, one)]

        assert answers == [HTTPStatus.UNAUTHORIZED] * 5 + [HTTPStatus.TOO_MANY_REQUESTS] * 2
        assert Person(other).log_in("kim", PASSWORD) == HTTPStatus.SEE_OTHER


def test_a_refused_action_is_a_sentence_on_the_page_and_in_the_csv(system: dict[str, str]) -> None:
    with another_console(system, CONSOLE_USERS=USERS.replace("kim:operator", "kim:operator,auditor")) as url:
        kim = Person(url, Accept_Language="ko")
        kim.log_in("kim", PASSWORD)
        kim.ask("POST", "/sessions/end", {"csrf": kim.csrf("/audit"), "user": "zoe"})

        until(
            lambda: kim.ask("GET", "/audit?target=zoe")[2],
            lambda page: bool(REFUSED.search(page)),
        )
        status, headers, csv = kim.ask("POST", "/audit/export", {"csrf": kim.csrf("/audit"), "target": "zoe"})

    assert (status, headers["content-type"]) == (HTTPStatus.OK, "text/csv; charset=utf-8")
    assert 'refused,"There is no user zoe, so there was no session to end."' in csv
