-- What the mail room takes in: every file that came, and where each of its pages lies.

CREATE TABLE arrivals (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    source       TEXT NOT NULL,              -- upload, folder, or folder/<device>
    name         TEXT NOT NULL,              -- as it came
    login        TEXT NOT NULL,              -- who sent it; empty for the folder
    digest       BLOB NOT NULL,            -- SHA-256 of the file
    size         INTEGER NOT NULL,
    picture      BLOB NOT NULL,            -- the file, sealed; empty once every page lies elsewhere
    state        TEXT NOT NULL,              -- waiting, done, failed
    reason       TEXT NOT NULL,              -- why it failed; else empty
    reading      TEXT NOT NULL,              -- what was read, JSON, until its pages have their places
    loose        INTEGER NOT NULL,            -- the number of the envelope for pages that name none
    attempts     INTEGER NOT NULL,            -- begun so far; the fencing token, so it only grows
    leased_until INTEGER NOT NULL,
    cleared      TEXT NOT NULL,              -- where the folder's file lies: empty while in it, done, failed
    aside_by     TEXT NOT NULL DEFAULT '',   -- who gave up reading it; the paper is scanned anew
    came_at      INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL
);
-- One file in the folder is one arrival, however many nodes look.
CREATE UNIQUE INDEX arrivals_in_folder ON arrivals (source, name, digest) WHERE cleared = '';
CREATE INDEX arrivals_open ON arrivals (state, id) WHERE state <> 'done';
CREATE INDEX arrivals_by_time ON arrivals (came_at);

CREATE TABLE sheets (
    arrival INTEGER NOT NULL REFERENCES arrivals (id),
    page    INTEGER NOT NULL,                 -- its place in the file, from 1
    place   TEXT NOT NULL,                   -- case, blank, cover, foreign, unidentified, duplicate, lost
    number  INTEGER,                          -- the envelope in which it lies
    what    TEXT NOT NULL,                   -- what comes next of it
    PRIMARY KEY (arrival, page)
);
CREATE INDEX sheets_by_number ON sheets (number);

-- Which arrival brought a file into an envelope; none for what came before arrivals were kept.
ALTER TABLE pages ADD COLUMN arrival INTEGER;
