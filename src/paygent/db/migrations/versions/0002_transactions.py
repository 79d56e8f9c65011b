"""Transactions of our own accounts: signed and stored before they are sent; the devnets that they are for."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE development_chains (
            chain_id         bigint PRIMARY KEY,
            first_block_hash text NOT NULL
        );

        CREATE TABLE transactions (
            id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            reference    text NOT NULL,
            -- Who asked for it: only they are told how it ended.
            claim        text NOT NULL,
            chain_id     bigint NOT NULL,
            sender       text NOT NULL,
            nonce        bigint NOT NULL,
            raw          bytea NOT NULL,
            hash         text NOT NULL UNIQUE,
            state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'mined', 'superseded')),
            succeeded    boolean,
            block_number bigint,
            created_at   timestamptz NOT NULL DEFAULT now(),
            CHECK ((state = 'mined') = (block_number IS NOT NULL AND succeeded IS NOT NULL))
        );
        -- At most one artefact of a purpose, and of a nonce, can still take effect.
        CREATE UNIQUE INDEX ON transactions (reference) WHERE state <> 'superseded';
        CREATE UNIQUE INDEX ON transactions (chain_id, sender, nonce) WHERE state <> 'superseded';
        CREATE INDEX ON transactions (chain_id, sender, nonce) WHERE state = 'pending';
        CREATE INDEX ON transactions (reference, id);
    """)
