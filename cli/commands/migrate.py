"""`hookstream migrate`: a service's store, brought to the schema its code expects."""

from typing import Annotated

import typer

from cli import environment
from local.messages import Trouble, say
from local.services import SERVICES


def migrate(service: Annotated[str, typer.Argument(help="Such as payment.")]) -> None:
    """Migrate a service's store to its newest schema; doing it again changes nothing."""
    from sqlalchemy.exc import SQLAlchemyError

    from stream.store.migrate import upgrade

    packages = {known.name: known for known in SERVICES if known.store}
    if service not in packages:
        raise Trouble(f"There is no store of {service}; there are {', '.join(packages)}.")
    env, url = environment.read(), packages[service].variable("DATABASE_URL")
    environment.need(env, url)
    try:
        upgrade(packages[service].module, env.get(packages[service].variable("DIRECT_DATABASE_URL")) or env[url])
    except SQLAlchemyError as failure:
        raise Trouble(f"The store of {service} was not migrated: {failure}") from failure
    say(f"the store of {service} is up to date")
