"""Add the terms by which bodies are found. Webhooks from before have none until the console is rebuilt."""

from alembic import op

revision = "console_0010"
down_revision = "console_0009"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE search_terms (subject uuid PRIMARY KEY, is_refusal boolean NOT NULL, terms int[] NOT NULL)"
    )
    op.execute("CREATE INDEX search_terms_terms ON search_terms USING gin (terms)")


def downgrade() -> None:
    op.execute("DROP TABLE search_terms")
