"""Add the terms by which bodies are found. Webhooks from before have none until the console is rebuilt."""

from alembic import op

revision = "console_0010"
down_revision = "console_0009"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE search_terms (subject uuid PRIMARY KEY, is_refusal boolean NOT NULL, terms int[] NOT NULL)"
    )
    # One for each kind: a value of every webhook would otherwise be looked for among all of them for refused requests.
    op.execute("CREATE INDEX search_terms_webhooks ON search_terms USING gin (terms) WHERE NOT is_refusal")
    op.execute("CREATE INDEX search_terms_refusals ON search_terms USING gin (terms) WHERE is_refusal")


def downgrade() -> None:
    op.execute("DROP TABLE search_terms")
