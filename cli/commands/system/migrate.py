"""`hookstream migrate`: migrates a service's store to the schema its code expects."""

from typing import Annotated

import typer

from cli import environment
from local.messages import CommandError, say
from local.services import SERVICES


def migrate(service: Annotated[str, typer.Argument(help="The service, such as payment.")]) -> None:
    """Migrate a service's store to its newest schema. Repeating it changes nothing."""
    from sqlalchemy.exc import SQLAlchemyError

    from stream.store.schema.migrate import upgrade

    packages = {known.name: known for known in SERVICES if known.store}
    if service not in packages:
        raise CommandError(f"There is no store of {service}. Use one of {', '.join(packages)}.")
    env, url = environment.read(), packages[service].variable("DATABASE_URL")
    environment.require(env, url)
    try:
        upgrade(packages[service].module, env.get(packages[service].variable("DIRECT_DATABASE_URL")) or env[url])
    except SQLAlchemyError as failure:
        raise CommandError(f"The store of {service} was not migrated: {failure}") from failure
    say(f"the store of {service} is up to date")
