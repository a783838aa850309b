-- The engine's tables: cases and their histories, what waits to be done, and what the clock owes.
-- Times are microseconds since 1970-01-01 UTC.

CREATE TABLE cases (
    id          BIGINT PRIMARY KEY,
    workflow    TEXT    NOT NULL,
    shape       BIGINT NOT NULL,           -- version of the stored form of the state
    subject     TEXT    NOT NULL,           -- what the host locks before the case
    state       TEXT    NOT NULL,
    state_name  TEXT    NOT NULL,
    version     BIGINT NOT NULL,           -- transitions so far
    entries     BIGINT NOT NULL,           -- history entries so far
    head        BYTEA    NOT NULL,           -- hash of the last entry
    anchors     TEXT    NOT NULL,           -- named moments, JSON object
    opened_at   BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    ended_at    BIGINT
);
CREATE INDEX cases_by_subject ON cases (subject, workflow);
CREATE INDEX cases_by_state ON cases (workflow, state_name);
CREATE INDEX cases_by_change ON cases (changed_at);

CREATE TABLE entries (
    case_id        BIGINT NOT NULL REFERENCES cases (id),
    no             BIGINT NOT NULL,
    kind           TEXT    NOT NULL,        -- transition, refused, noted
    at             BIGINT NOT NULL,
    actor          TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    auth           TEXT    NOT NULL,
    place          TEXT    NOT NULL,
    command_id     TEXT    NOT NULL,
    command        TEXT    NOT NULL,
    from_state     TEXT    NOT NULL,
    to_state       TEXT    NOT NULL,
    outcome        TEXT    NOT NULL,        -- reason code or refusal
    version        BIGINT NOT NULL,        -- of the case after this entry
    state_digest   BYTEA    NOT NULL,
    details_digest BYTEA    NOT NULL,
    hash           BYTEA    NOT NULL,
    PRIMARY KEY (case_id, no)
);
CREATE UNIQUE INDEX entries_by_command ON entries (command_id) WHERE kind = 'transition';

-- Personal details stand apart, so that a purge keeps the proof.
CREATE TABLE entry_details (
    case_id BIGINT NOT NULL,
    no      BIGINT NOT NULL,
    salt    BYTEA    NOT NULL,
    details TEXT    NOT NULL,
    PRIMARY KEY (case_id, no)
);

CREATE TABLE outbox (
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind         TEXT    NOT NULL,          -- notice, job, tick
    workflow     TEXT    NOT NULL,
    case_id      BIGINT,
    entry        BIGINT NOT NULL,
    label        TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    status       TEXT    NOT NULL,          -- ready, leased, done, dead, dropped
    attempts     BIGINT NOT NULL,          -- begun so far; the fencing token, so it only grows
    spent        BIGINT NOT NULL DEFAULT 0, -- of these, before a person last revived the row
    due_at       BIGINT NOT NULL,
    leased_until BIGINT,
    last_error   TEXT,
    created_at   BIGINT NOT NULL,
    done_at      BIGINT
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE status IN ('ready', 'leased');
CREATE INDEX outbox_dead ON outbox (id) WHERE status = 'dead';
CREATE INDEX outbox_by_case ON outbox (case_id);

CREATE TABLE inbox (
    id            BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    case_id       BIGINT NOT NULL,
    workflow      TEXT    NOT NULL,
    command_id    TEXT    NOT NULL UNIQUE,
    command       TEXT    NOT NULL,
    actor         TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    auth          TEXT    NOT NULL,
    place         TEXT    NOT NULL,
    status        TEXT    NOT NULL,         -- waiting, taken, moot
    tried_version BIGINT NOT NULL,         -- case version that last declined it, -1 before
    outcome       TEXT    NOT NULL,
    created_at    BIGINT NOT NULL,
    failures      BIGINT NOT NULL DEFAULT 0, -- times that something broke while it was asked
    retry_at      BIGINT NOT NULL DEFAULT 0,
    last_error    TEXT
);
CREATE INDEX inbox_waiting ON inbox (case_id) WHERE status = 'waiting';

CREATE TABLE timers (
    case_id  BIGINT NOT NULL,
    slot     TEXT    NOT NULL,              -- anchor, span and command: equal deadlines are kept
    workflow TEXT    NOT NULL,
    due_at   BIGINT NOT NULL,
    command  TEXT    NOT NULL,
    fired_at BIGINT,                       -- kept while the state wants it, so that it fires once
    failures BIGINT NOT NULL DEFAULT 0,    -- times that something broke while it was sent
    retry_at BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    PRIMARY KEY (case_id, slot)
);
CREATE INDEX timers_due ON timers (due_at) WHERE fired_at IS NULL;

CREATE TABLE schedules (
    name      TEXT    PRIMARY KEY,
    last_tick BIGINT NOT NULL
);

CREATE TABLE numbers (
    name TEXT    PRIMARY KEY,
    next BIGINT NOT NULL
);

-- What was written into the checkpoint outside the database: it must not lose its newest part.
CREATE TABLE checkpoints (
    mac       BYTEA    PRIMARY KEY,
    at        BIGINT NOT NULL,
    confirmed BIGINT NOT NULL               -- 1 once it was seen outside
);
