-- Enrolment codes, the browsers that entered one, cards in stock; what was said of expiring
-- certificates.

CREATE TABLE enrolments (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    case_id INTEGER NOT NULL UNIQUE
);

CREATE TABLE enrolment_codes (
    id         INTEGER PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    command_id TEXT    NOT NULL UNIQUE,          -- the idempotency key
    issued_by  TEXT    NOT NULL,
    source     TEXT    NOT NULL,                 -- imported, letter, colleague
    state      TEXT    NOT NULL,                 -- taken (by an import), pending, active, voided
    why        TEXT    NOT NULL,
    verifier   TEXT    NOT NULL,                 -- PHC string over the peppered code
    key_id     TEXT    NOT NULL,                 -- of the pepper
    sealed     BLOB,                             -- display copy, opens only with the ticket
    ticket     BLOB,                             -- SHA-256 of the ticket that opens it
    issued_at  INTEGER NOT NULL,
    settled_at INTEGER
);
-- One live code a user, and one whose letter is not posted yet.
CREATE UNIQUE INDEX enrolment_codes_one_live ON enrolment_codes (user_id) WHERE state = 'active';
CREATE UNIQUE INDEX enrolment_codes_one_pending ON enrolment_codes (user_id)
    WHERE state = 'pending';
CREATE INDEX enrolment_codes_taken ON enrolment_codes (id) WHERE state = 'taken';
CREATE INDEX enrolment_codes_by_user ON enrolment_codes (user_id, source);
CREATE INDEX enrolment_codes_by_issuer ON enrolment_codes (issued_by, issued_at);

CREATE TABLE enrolling (
    id              INTEGER PRIMARY KEY AUTOINCREMENT, -- histories speak of it: never given twice
    token           BLOB    NOT NULL UNIQUE,     -- SHA-256 of the cookie
    user_id         INTEGER NOT NULL REFERENCES users (id),
    login_set       BOOLEAN NOT NULL,
    transaction_set BOOLEAN NOT NULL,
    card_set        BOOLEAN NOT NULL,
    opened_at       INTEGER NOT NULL,
    ended_at        INTEGER
);
CREATE INDEX enrolling_by_user ON enrolling (user_id) WHERE ended_at IS NULL;

-- A card's seed that was shown for an authenticator and is not confirmed yet.
CREATE TABLE card_offers (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id),
    holder     BLOB    NOT NULL,                 -- SHA-256 of the cookie to which it is sealed
    sealed     BLOB    NOT NULL,
    offered_at INTEGER NOT NULL
);

CREATE TABLE cards (
    serial        TEXT    PRIMARY KEY,
    sealed        BLOB    NOT NULL,              -- the seed, sealed at rest
    user_id       INTEGER REFERENCES users (id), -- none while in stock
    registered_at INTEGER
);

CREATE TABLE expiries (
    serial  TEXT    PRIMARY KEY,                 -- of the certificate
    case_id INTEGER NOT NULL UNIQUE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    told    INTEGER                              -- the nearest distance told, in days
);

-- An import has brought a secret that was awaited; whoever serves the credentials enrols it.
ALTER TABLE credentials ADD COLUMN brought BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX credentials_brought ON credentials (case_id) WHERE brought;

CREATE INDEX certificates_expiring ON certificates (not_after, serial) WHERE state = 'active';
-- What the facts of every case ask for.
CREATE INDEX certificates_by_case ON certificates (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX certificates_by_holder ON certificates (held_by) WHERE held_by IS NOT NULL;
CREATE INDEX reissues_by_opener ON reissues (opened_by);
CREATE INDEX retrieval_passwords_by_issuer ON retrieval_passwords (issued_by, issued_at);
CREATE INDEX items_by_case ON items (case_id);
