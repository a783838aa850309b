-- The back office: how staff sign in, what each of them has in hand, what they look up and look at.

ALTER TABLE staff ADD COLUMN password TEXT NOT NULL DEFAULT '';   -- PHC string; empty: cannot sign in
ALTER TABLE staff ADD COLUMN seed TEXT NOT NULL DEFAULT '';       -- of the card, sealed, Base64
ALTER TABLE staff ADD COLUMN last_step INTEGER NOT NULL DEFAULT 0; -- last accepted time step of the card
ALTER TABLE staff ADD COLUMN wrong INTEGER NOT NULL DEFAULT 0;     -- entries since the last right one
ALTER TABLE staff ADD COLUMN tried_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN active BOOLEAN NOT NULL DEFAULT TRUE;

CREATE TABLE staff_sessions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- histories speak of it: never given twice
    token      BLOB NOT NULL UNIQUE,        -- SHA-256 of the cookie
    login      TEXT NOT NULL,
    place      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    touched_at INTEGER NOT NULL,
    ended_at   INTEGER
);
CREATE INDEX staff_sessions_by_login ON staff_sessions (login) WHERE ended_at IS NULL;

-- Who has a case in hand, and until when nobody else may take it.
CREATE TABLE claims (
    case_id  INTEGER PRIMARY KEY,
    person   TEXT NOT NULL,
    login    TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    until    INTEGER NOT NULL
);
CREATE INDEX claims_by_person ON claims (person);

-- Pages as clerks see them: drawn anew from the scan, straightened, sealed at rest.
CREATE TABLE pictures (
    digest  BLOB NOT NULL,                  -- SHA-256 of the file
    page    INTEGER NOT NULL,              -- its place in the file, from 1
    part    TEXT NOT NULL,                    -- page, seal
    picture BLOB NOT NULL,
    PRIMARY KEY (digest, page, part)
);

-- Names and numbers of users as searches compare them.
CREATE TABLE folded (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    words   TEXT NOT NULL
);

-- The clock of a form begins anew with each form that comes.
ALTER TABLE reissues ADD COLUMN received_at INTEGER NOT NULL DEFAULT 0;
UPDATE reissues SET received_at = opened_at;
CREATE INDEX reissues_by_receipt ON reissues (received_at);
