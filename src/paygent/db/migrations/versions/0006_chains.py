"""Public chains are remembered too: a devnet may have the id of one, and must not share its books and nonces."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE development_chains RENAME TO chains;
        -- The hash of block 1 of a development chain, or 'public'.
        ALTER TABLE chains RENAME COLUMN first_block_hash TO identity;
    """)
