-- The contract ledger: who may ask for what, and what the bank has on file.

CREATE TABLE contracts (
    id                 INTEGER PRIMARY KEY,
    number             TEXT    NOT NULL UNIQUE,  -- 10 digits
    variant            TEXT    NOT NULL,         -- bizstation, light
    status             TEXT    NOT NULL,         -- active, suspended, closed
    company            TEXT    NOT NULL,
    company_kana       TEXT    NOT NULL,
    representative     TEXT    NOT NULL,         -- title and name, as printed on forms
    branch             TEXT    NOT NULL,         -- 3 digits
    account_type       TEXT    NOT NULL,         -- ordinary, current
    account_number     TEXT    NOT NULL,         -- 7 digits
    phone              TEXT    NOT NULL,
    language           TEXT    NOT NULL,         -- ja, en
    phrase             TEXT    NOT NULL,         -- shown on every page and in every mail
    target_only_reveal BOOLEAN NOT NULL
);

CREATE TABLE addresses (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    version     INTEGER NOT NULL,
    postal_code TEXT    NOT NULL,                -- 7 digits
    address     TEXT    NOT NULL,
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (contract_id, version)
);

CREATE TABLE specimens (
    id          INTEGER PRIMARY KEY,
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    valid_from  TEXT    NOT NULL,                -- ISO date
    valid_to    TEXT,
    digest      BLOB    NOT NULL,                -- SHA-256 of the picture
    picture     BLOB    NOT NULL,                -- PNG, sealed at rest
    UNIQUE (contract_id, valid_from)
);

CREATE TABLE users (
    id                   INTEGER PRIMARY KEY,
    contract_id          INTEGER NOT NULL REFERENCES contracts (id),
    user_id              TEXT    NOT NULL,       -- 9 digits, never reused
    name                 TEXT    NOT NULL,
    kana                 TEXT    NOT NULL,
    department           TEXT    NOT NULL,
    title                TEXT    NOT NULL,
    email                TEXT    NOT NULL,
    language             TEXT    NOT NULL,
    status               TEXT    NOT NULL,       -- active, deleted
    reissue_authority    BOOLEAN NOT NULL,
    certificate_required BOOLEAN NOT NULL,
    UNIQUE (contract_id, user_id)
);

CREATE TABLE credentials (
    user_id   INTEGER NOT NULL REFERENCES users (id),
    kind      TEXT    NOT NULL,                  -- login, transaction, one_time_password, retrieval
    case_id   INTEGER NOT NULL UNIQUE,
    secret    TEXT    NOT NULL,                  -- PHC string, or sealed seed; empty when none
    last_step INTEGER NOT NULL,                  -- last accepted time step of a card
    PRIMARY KEY (user_id, kind)
);

CREATE TABLE staff (
    id     INTEGER PRIMARY KEY,
    person TEXT    NOT NULL,                     -- a person behind two accounts counts once
    login  TEXT    NOT NULL UNIQUE,
    name   TEXT    NOT NULL,
    roles  TEXT    NOT NULL                      -- comma-separated
);

CREATE TABLE holidays (
    day  TEXT PRIMARY KEY,                       -- ISO date
    name TEXT NOT NULL
);
