"""Sessions, intents with their history, and the cursor of incoming transfers."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE sessions (
            id            text PRIMARY KEY,
            asset         text NOT NULL,
            payment_max   numeric(78, 0) NOT NULL CHECK (payment_max > 0),
            allowed_hosts text[] NOT NULL,
            created_at    timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE intents (
            id              text PRIMARY KEY,
            session_id      text NOT NULL REFERENCES sessions,
            kind            text NOT NULL,
            idempotency_key text NOT NULL UNIQUE,
            request         jsonb NOT NULL,
            request_digest  text NOT NULL,
            state           text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'denied', 'approved', 'held',
                'signed', 'submitted', 'unknown', 'settled', 'failed')),
            version         integer NOT NULL DEFAULT 0,
            quote           jsonb,
            -- Reserved ledger transfers, posted or voided when the intent ends.
            holds           bigint[] NOT NULL DEFAULT '{}',
            -- The signed artefact. It is stored before it is sent, and the same one is sent again.
            artefact        jsonb,
            transaction     text,
            reason          jsonb,
            answer          jsonb,
            answer_body     bytea,
            delivered_at    timestamptz,
            lease_owner     text,
            lease_epoch     bigint NOT NULL DEFAULT 0,
            lease_until     timestamptz NOT NULL DEFAULT to_timestamp(0),
            created_at      timestamptz NOT NULL DEFAULT now(),
            updated_at      timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX ON intents (created_at DESC, id);
        CREATE INDEX ON intents (session_id, request_digest);
        -- The queue: what is not ended and nobody drives.
        CREATE INDEX ON intents (lease_until)
            WHERE state NOT IN ('settled', 'failed', 'denied');

        CREATE TABLE intent_events (
            intent_id  text NOT NULL REFERENCES intents,
            version    integer NOT NULL,
            from_state text,
            to_state   text NOT NULL,
            detail     jsonb NOT NULL DEFAULT '{}',
            at         timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (intent_id, version)
        );

        CREATE TABLE transfer_cursors (
            account    text PRIMARY KEY REFERENCES ledger_accounts,
            next_block bigint NOT NULL
        );
    """)
