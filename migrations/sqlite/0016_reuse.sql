-- Impressions that lie on two forms of a contract: ink lies differently each time a seal is pressed, so that
-- one of them may be a copy. The pictures compared stay where they are; here is only what was found.

CREATE TABLE impressions (
    number      INTEGER PRIMARY KEY,       -- the form, by the number in its codes
    compared    INTEGER NOT NULL,          -- with so many other forms of the contract
    compared_at INTEGER NOT NULL
);

CREATE TABLE reuses (
    number   INTEGER NOT NULL REFERENCES impressions (number),
    other    INTEGER NOT NULL,             -- another form that bears it
    sameness INTEGER NOT NULL,             -- of the ink's unevenness, in hundredths
    PRIMARY KEY (number, other)
);
CREATE INDEX reuses_of_other ON reuses (other);
