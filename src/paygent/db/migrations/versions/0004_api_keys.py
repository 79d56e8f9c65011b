"""Keys of the API, as digests."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE api_keys (
            digest     bytea PRIMARY KEY,
            name       text NOT NULL UNIQUE,
            created_at timestamptz NOT NULL DEFAULT now()
        );
    """)
