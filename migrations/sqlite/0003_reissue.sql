-- What the reissue cases bring about: passwords, certificates, forms, letters, sessions.

CREATE TABLE sessions (
    id             INTEGER PRIMARY KEY,
    token          BLOB    NOT NULL UNIQUE,      -- SHA-256 of the cookie
    user_id        INTEGER NOT NULL REFERENCES users (id),
    ticket         BLOB    NOT NULL,             -- SHA-256 of the display ticket
    certificate    TEXT,                         -- serial, on the certificate site
    place          TEXT    NOT NULL,
    login_at       INTEGER,
    otp_at         INTEGER,
    transaction_at INTEGER,
    created_at     INTEGER NOT NULL,
    touched_at     INTEGER NOT NULL,
    ended_at       INTEGER
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE reissues (
    case_id           INTEGER PRIMARY KEY,
    user_id           INTEGER NOT NULL REFERENCES users (id),
    channel           TEXT    NOT NULL,
    reason            TEXT    NOT NULL,
    opened_by         TEXT    NOT NULL,
    danger            BOOLEAN NOT NULL,          -- a danger sign that nobody has cleared
    confirmed_address INTEGER NOT NULL,          -- confirmed address version, 0 when none
    submission        INTEGER,                   -- the form's number
    form_date         TEXT,                      -- ISO date written on the form
    specimen          INTEGER,                   -- shown to the clerk
    remailed          BOOLEAN NOT NULL,
    duplicate_of      INTEGER,
    defects           TEXT    NOT NULL,
    opened_at         INTEGER NOT NULL
);
CREATE INDEX reissues_by_user ON reissues (user_id);
CREATE INDEX reissues_by_submission ON reissues (submission);

CREATE TABLE retrieval_passwords (
    id         INTEGER PRIMARY KEY,
    case_id    INTEGER NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    command_id TEXT    NOT NULL UNIQUE,          -- the idempotency key
    issued_by  TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    state      TEXT    NOT NULL,                 -- pending, active, used, expired, voided, locked
    why        TEXT    NOT NULL,
    verifier   TEXT    NOT NULL,                 -- PHC string over the peppered digits
    key_id     TEXT    NOT NULL,                 -- of the pepper
    sealed     BLOB,                             -- display copy, opens only with the ticket
    ticket     BLOB,                             -- SHA-256 of the ticket that opens it
    issued_at  INTEGER NOT NULL,
    settled_at INTEGER
);
-- One live password a user; letters in the making are pending and touch no other.
CREATE UNIQUE INDEX retrieval_passwords_one_live ON retrieval_passwords (user_id)
    WHERE state = 'active';
CREATE UNIQUE INDEX retrieval_passwords_one_pending ON retrieval_passwords (case_id)
    WHERE state = 'pending';
CREATE INDEX retrieval_passwords_by_case ON retrieval_passwords (case_id);
CREATE INDEX retrieval_passwords_by_user ON retrieval_passwords (user_id, issued_at);

CREATE TABLE certificates (
    serial       TEXT    PRIMARY KEY,            -- hexadecimal
    fingerprint  BLOB    NOT NULL UNIQUE,        -- SHA-256 of the certificate
    user_id      INTEGER NOT NULL REFERENCES users (id),
    case_id      INTEGER,                        -- the case that made it; none when imported
    der          BLOB    NOT NULL,
    not_before   INTEGER NOT NULL,               -- seconds since 1970 UTC
    not_after    INTEGER NOT NULL,
    state        TEXT    NOT NULL,               -- active, held, revoked
    held_by      INTEGER,                        -- the case that holds it
    why          TEXT    NOT NULL,               -- reason of revocation
    changed_at   INTEGER NOT NULL,
    unused       BOOLEAN NOT NULL,
    sealed_key   BLOB                            -- of a key made on the server, for the refetch window
);
CREATE INDEX certificates_by_user ON certificates (user_id);
CREATE INDEX certificates_by_state ON certificates (state) WHERE state <> 'active';

CREATE TABLE submissions (
    number      INTEGER PRIMARY KEY,
    case_id     INTEGER NOT NULL UNIQUE,
    variant     TEXT    NOT NULL,
    contract_id INTEGER REFERENCES contracts (id),
    receipt     TEXT    NOT NULL,                -- receipt number, empty before the envelope came
    carrier     TEXT    NOT NULL,
    counted     INTEGER NOT NULL,                -- pages counted by hand
    prefilled   TEXT    NOT NULL,                -- what was printed into the form, JSON
    reading     TEXT    NOT NULL                 -- what was read, JSON; empty before
);

CREATE TABLE pages (
    id         INTEGER PRIMARY KEY,
    submission INTEGER REFERENCES submissions (number), -- none once detached
    no         INTEGER NOT NULL,                 -- from 1, in the order of the scan
    page_count INTEGER NOT NULL,                 -- pages in this file
    digest     BLOB    NOT NULL,                 -- SHA-256 of the file
    picture    BLOB    NOT NULL,                 -- the file as it came, sealed at rest
    reading    TEXT    NOT NULL,                 -- what was read, JSON
    scanned_at INTEGER NOT NULL,
    closed     BOOLEAN NOT NULL DEFAULT FALSE, -- the paper went back: for auditors only
    UNIQUE (submission, no)
);
CREATE INDEX pages_by_digest ON pages (digest);

CREATE TABLE items (
    submission INTEGER NOT NULL REFERENCES submissions (number),
    row_no     INTEGER NOT NULL,                 -- the user's row on the form, from 1
    request    TEXT    NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    case_id    INTEGER NOT NULL,
    PRIMARY KEY (submission, row_no, request)
);

CREATE TABLE letters (
    id              INTEGER PRIMARY KEY,
    case_id         INTEGER NOT NULL,
    address_version INTEGER NOT NULL,
    sealed          BLOB    NOT NULL,            -- to the print station's key
    specimen        BLOB    NOT NULL,            -- the same page with ● for every digit
    state           TEXT    NOT NULL,            -- printed, spoiled, posted, delivered, returned
    reconciled      BOOLEAN NOT NULL,            -- its batch was counted and agrees
    tracking        TEXT    NOT NULL,
    made_at         INTEGER NOT NULL,
    posted_at       INTEGER,
    settled_at      INTEGER
);
CREATE INDEX letters_by_case ON letters (case_id);

CREATE TABLE tasks (
    case_id    INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL,
    about_case INTEGER NOT NULL,
    outcome    TEXT    NOT NULL DEFAULT '',
    escalated  TEXT    NOT NULL DEFAULT ''     -- what the supervisor is to see: Overdue, GivenUp
);
CREATE INDEX tasks_by_case ON tasks (about_case);

-- One message may go to several people; each is told once.
CREATE TABLE mails (
    outbox_id  INTEGER NOT NULL,
    recipient  TEXT    NOT NULL,                 -- user-<id>
    message_id TEXT    NOT NULL,
    sent_at    INTEGER NOT NULL,
    PRIMARY KEY (outbox_id, recipient)
);

-- Letters that notices ask for; they wait here until they are printed.
CREATE TABLE letters_due (
    outbox_id       INTEGER NOT NULL,
    about           TEXT    NOT NULL,            -- the notice
    case_id         INTEGER NOT NULL,
    contract_id     INTEGER NOT NULL,
    user_id         INTEGER,
    address_version INTEGER NOT NULL,
    due_on          TEXT    NOT NULL,            -- ISO date
    printed_at      INTEGER,
    PRIMARY KEY (outbox_id, about)
);
CREATE INDEX letters_due_by_case ON letters_due (case_id);
