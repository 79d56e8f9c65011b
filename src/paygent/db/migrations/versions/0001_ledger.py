"""Double-entry ledger: accounts with running totals, and transfers that are never changed."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE ledger_accounts (
            id              text PRIMARY KEY,
            asset           text NOT NULL,
            -- A limited account may never give more than it has received, pending gifts included.
            limited         boolean NOT NULL,
            debits_pending  numeric(78, 0) NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
            debits_posted   numeric(78, 0) NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
            credits_pending numeric(78, 0) NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
            credits_posted  numeric(78, 0) NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
            created_at      timestamptz NOT NULL DEFAULT now(),
            UNIQUE (id, asset),
            CHECK (NOT limited OR debits_pending + debits_posted <= credits_posted)
        );

        CREATE TABLE ledger_transfers (
            id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            -- What this transfer books, once: an intent's hold, a log on chain.
            reference      text NOT NULL UNIQUE,
            kind           text NOT NULL CHECK (kind IN ('posted', 'pending', 'post_pending', 'void_pending')),
            pending_id     bigint UNIQUE REFERENCES ledger_transfers,
            debit_account  text NOT NULL,
            credit_account text NOT NULL CHECK (credit_account <> debit_account),
            asset          text NOT NULL,
            amount         numeric(78, 0) NOT NULL CHECK (amount > 0),
            created_at     timestamptz NOT NULL DEFAULT now(),
            -- Both sides hold the transfer's asset, so every transfer sums to zero per asset.
            FOREIGN KEY (debit_account, asset) REFERENCES ledger_accounts (id, asset),
            FOREIGN KEY (credit_account, asset) REFERENCES ledger_accounts (id, asset),
            CHECK ((kind IN ('post_pending', 'void_pending')) = (pending_id IS NOT NULL))
        );

        CREATE FUNCTION ledger_transfers_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'a ledger transfer is never changed; book a correcting one'; END $$;
        CREATE TRIGGER ledger_transfers_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_transfers_are_final();
    """)
