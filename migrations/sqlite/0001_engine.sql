-- The engine's tables: cases and their histories, what waits to be done, and what the clock owes.
-- Times are microseconds since 1970-01-01 UTC.

CREATE TABLE cases (
    id          INTEGER PRIMARY KEY,
    workflow    TEXT    NOT NULL,
    shape       INTEGER NOT NULL,           -- version of the stored form of the state
    subject     TEXT    NOT NULL,           -- what the host locks before the case
    state       TEXT    NOT NULL,
    state_name  TEXT    NOT NULL,
    version     INTEGER NOT NULL,           -- transitions so far
    entries     INTEGER NOT NULL,           -- history entries so far
    head        BLOB    NOT NULL,           -- hash of the last entry
    anchors     TEXT    NOT NULL,           -- named moments, JSON object
    opened_at   INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    ended_at    INTEGER
);
CREATE INDEX cases_by_subject ON cases (subject, workflow);
CREATE INDEX cases_by_state ON cases (workflow, state_name);
CREATE INDEX cases_by_change ON cases (changed_at);

CREATE TABLE entries (
    case_id        INTEGER NOT NULL REFERENCES cases (id),
    no             INTEGER NOT NULL,
    kind           TEXT    NOT NULL,        -- transition, refused, noted
    at             INTEGER NOT NULL,
    actor          TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    auth           TEXT    NOT NULL,
    place          TEXT    NOT NULL,
    command_id     TEXT    NOT NULL,
    command        TEXT    NOT NULL,
    from_state     TEXT    NOT NULL,
    to_state       TEXT    NOT NULL,
    outcome        TEXT    NOT NULL,        -- reason code or refusal
    version        INTEGER NOT NULL,        -- of the case after this entry
    state_digest   BLOB    NOT NULL,
    details_digest BLOB    NOT NULL,
    hash           BLOB    NOT NULL,
    PRIMARY KEY (case_id, no)
);
CREATE UNIQUE INDEX entries_by_command ON entries (command_id) WHERE kind = 'transition';

-- Personal details stand apart, so that a purge keeps the proof.
CREATE TABLE entry_details (
    case_id INTEGER NOT NULL,
    no      INTEGER NOT NULL,
    salt    BLOB    NOT NULL,
    details TEXT    NOT NULL,
    PRIMARY KEY (case_id, no)
);

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT    NOT NULL,          -- notice, job, tick
    workflow     TEXT    NOT NULL,
    case_id      INTEGER,
    entry        INTEGER NOT NULL,
    label        TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    status       TEXT    NOT NULL,          -- ready, leased, done, dead, dropped
    attempts     INTEGER NOT NULL,          -- begun so far; the fencing token, so it only grows
    spent        INTEGER NOT NULL DEFAULT 0, -- of these, before a person last revived the row
    due_at       INTEGER NOT NULL,
    leased_until INTEGER,
    last_error   TEXT,
    created_at   INTEGER NOT NULL,
    done_at      INTEGER
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE status IN ('ready', 'leased');
CREATE INDEX outbox_dead ON outbox (id) WHERE status = 'dead';
CREATE INDEX outbox_by_case ON outbox (case_id);

CREATE TABLE inbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id       INTEGER NOT NULL,
    workflow      TEXT    NOT NULL,
    command_id    TEXT    NOT NULL UNIQUE,
    command       TEXT    NOT NULL,
    actor         TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    auth          TEXT    NOT NULL,
    place         TEXT    NOT NULL,
    status        TEXT    NOT NULL,         -- waiting, taken, moot
    tried_version INTEGER NOT NULL,         -- case version that last declined it, -1 before
    outcome       TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    failures      INTEGER NOT NULL DEFAULT 0, -- times that something broke while it was asked
    retry_at      INTEGER NOT NULL DEFAULT 0,
    last_error    TEXT
);
CREATE INDEX inbox_waiting ON inbox (case_id) WHERE status = 'waiting';

CREATE TABLE timers (
    case_id  INTEGER NOT NULL,
    slot     TEXT    NOT NULL,              -- anchor, span and command: equal deadlines are kept
    workflow TEXT    NOT NULL,
    due_at   INTEGER NOT NULL,
    command  TEXT    NOT NULL,
    fired_at INTEGER,                       -- kept while the state wants it, so that it fires once
    failures INTEGER NOT NULL DEFAULT 0,    -- times that something broke while it was sent
    retry_at INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    PRIMARY KEY (case_id, slot)
);
CREATE INDEX timers_due ON timers (due_at) WHERE fired_at IS NULL;

CREATE TABLE schedules (
    name      TEXT    PRIMARY KEY,
    last_tick INTEGER NOT NULL
);

CREATE TABLE numbers (
    name TEXT    PRIMARY KEY,
    next INTEGER NOT NULL
);

-- What was written into the checkpoint outside the database: it must not lose its newest part.
CREATE TABLE checkpoints (
    mac       BLOB    PRIMARY KEY,
    at        INTEGER NOT NULL,
    confirmed INTEGER NOT NULL               -- 1 once it was seen outside
);
