-- Impressions that lie on two forms of a contract: ink lies differently each time a seal is pressed, so that
-- one of them may be a copy. The pictures compared stay where they are; here is only what was found.

CREATE TABLE impressions (
    number      BIGINT PRIMARY KEY,       -- the form, by the number in its codes
    compared    BIGINT NOT NULL,          -- with so many other forms of the contract
    compared_at BIGINT NOT NULL
);

CREATE TABLE reuses (
    number   BIGINT NOT NULL REFERENCES impressions (number),
    other    BIGINT NOT NULL,             -- another form that bears it
    sameness BIGINT NOT NULL,             -- of the ink's unevenness, in hundredths
    PRIMARY KEY (number, other)
);
CREATE INDEX reuses_of_other ON reuses (other);
