"""The terms of a session are the settings of each process; what is shared, and stays here, is its budget."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE sessions DROP COLUMN payment_max, DROP COLUMN allowed_hosts;")
