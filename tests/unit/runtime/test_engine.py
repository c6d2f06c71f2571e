"""A store's URL means the same to libpq as to SQLAlchemy."""

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from runtime.postgres.engine import conninfo


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("options=-c%20lock_timeout%3D1500", "-c lock_timeout=1500"),
        ("options=-c+lock_timeout%3D1500", "-c lock_timeout=1500"),
        ("options=-c%20a%3D%2B1%20-c%20b%3D'x'", "-c a=+1 -c b='x'"),
    ],
)
def test_session_options_with_blanks_reach_the_server_as_they_are(query: str, options: str) -> None:
    url = make_url(f"postgresql://role:a%2Bb%20c%40@db.test:6432/orders?sslmode=require&{query}")

    assert conninfo_to_dict(conninfo(url)) == {
        "host": "db.test",
        "port": "6432",
        "user": "role",
        "password": "a+b c@",
        "dbname": "orders",
        "sslmode": "require",
        "options": options,
    }


def test_a_socket_and_what_is_left_out_stay_libpqs() -> None:
    url = make_url("postgresql://role@/orders?host=/run/postgresql")

    assert conninfo_to_dict(conninfo(url)) == {"user": "role", "dbname": "orders", "host": "/run/postgresql"}
