"""Runs a service's migrations and the shared ones, in the schema that the service's role uses."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
