"""Checks each store: connection, encoding, version of Postgres, role, migrations, and that it takes writes."""

from collections.abc import Iterator, Mapping

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from cli.doctor.finding import Finding, ok, skipped, warning, wrong
from local.services import SERVICES, LocalService
from runtime.confidential.wrong_setting import WrongSetting
from runtime.config.database_url import parse
from runtime.postgres.engine import conninfo
from stream.store.schema import migrate

CONNECT_S = 3
SERVER_STATE = """
SELECT current_setting('server_encoding'), current_setting('server_version_num')::int, pg_is_in_recovery(),
       current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       has_schema_privilege(current_schema(), 'CREATE'), current_schema()
"""
OLDEST = 15
"""The oldest major version of Postgres that is supported."""


def check(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the problems of each service's store, `ok` if none is wrong; `skipped` where DATABASE_URL is not set."""
    for service in SERVICES:
        if service.store:
            yield from _store(service, env)


def _store(service: LocalService, env: Mapping[str, str]) -> Iterator[Finding]:
    variable = service.variable("DATABASE_URL")
    if not env.get(variable):
        yield skipped("databases", service.name, f"{variable} is not set here", f"Set {variable} to check it.")
        return
    direct = service.variable("DIRECT_DATABASE_URL")
    named = f"{variable} or {direct}" if env.get(direct) else variable
    try:
        with psycopg.connect(conninfo(parse(env[variable])), connect_timeout=CONNECT_S) as connection:
            row = connection.execute(SERVER_STATE).fetchone()
        pending = migrate.pending(service.module, env.get(direct) or env[variable])
    except (psycopg.OperationalError, WrongSetting) as failure:
        remedy = f"Start Postgres, or correct {named}: its host, role, password and database."
        yield wrong("databases", service.name, str(failure).strip().partition("\n")[0], remedy)
        return
    except (psycopg.Error, SQLAlchemyError) as failure:
        remedy = f"Check the grants of the role in {variable} (docs/deploying.md)."
        yield wrong("databases", service.name, str(failure).strip().partition("\n")[0], remedy)
        return
    problems = [*_problems(service, row or ()), *_migrations(service, pending)]
    yield from problems
    if not any(problem.state == "wrong" for problem in problems):
        yield ok("databases", service.name, "answers, UTF-8, migrated, its role may write")


def _problems(service: LocalService, row: tuple[object, ...]) -> Iterator[Finding]:
    encoding, version, in_recovery, role, is_superuser, may_create, schema = row
    if encoding != "UTF8":
        remedy = "Create the database anew with ENCODING 'UTF8' and restore it: names in Korean cannot be stored."
        yield wrong("databases", service.name, f"its encoding is {encoding}", remedy)
    if int(str(version)) // 10_000 < OLDEST:
        remedy = f"Upgrade it to Postgres {OLDEST} or newer."
        yield wrong("databases", service.name, f"the server is Postgres {int(str(version)) // 10_000}", remedy)
    if in_recovery:
        remedy = f"Promote it, or let {service.variable('DATABASE_URL')} name the primary."
        yield wrong("databases", service.name, "it is a standby, which takes no writes", remedy)
    if is_superuser:
        remedy = "Give the service a role of its own that owns only its database (docs/deploying.md)."
        yield warning("databases", service.name, f"its role {role} is a superuser", remedy)
    if schema is None or not may_create:
        remedy = f"Let the role {role} own its schema: ALTER SCHEMA … OWNER TO {role}."
        yield wrong("databases", service.name, f"its role {role} may not create tables in its schema", remedy)


def _migrations(service: LocalService, pending: list[str]) -> Iterator[Finding]:
    if pending:
        remedy = f"Run `hookstream migrate {service.name}`."
        yield wrong("databases", service.name, f"{len(pending)} migrations are missing: {', '.join(pending)}", remedy)
