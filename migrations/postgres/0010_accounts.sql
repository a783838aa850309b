-- Changes that two people make, and how staff signed in. Wrong entries are counted by the case of
-- the account from now on.

ALTER TABLE staff DROP COLUMN wrong;
ALTER TABLE staff DROP COLUMN tried_at;

-- By which means a session began.
ALTER TABLE staff_sessions ADD COLUMN means TEXT NOT NULL DEFAULT 'password+totp';

-- What exactly is proposed, written once with the proposal.
CREATE TABLE proposals (
    case_id         BIGINT PRIMARY KEY,
    matter          TEXT NOT NULL,
    subject         TEXT NOT NULL,           -- account-<login>, contract-<number>, day-<date>
    change          TEXT NOT NULL,           -- what shall be, JSON
    was             TEXT NOT NULL,           -- what it replaces, JSON: it must still be so at the approval
    proposed_by     TEXT NOT NULL,
    picture         BYTEA,                   -- of a specimen, sealed at rest
    sealed_password BYTEA,                   -- until whoever proposed takes it
    sealed_seed     BYTEA                    -- until whoever approved takes it
);
CREATE INDEX proposals_by_subject ON proposals (subject);

-- Where a holiday was announced.
ALTER TABLE holidays ADD COLUMN source TEXT NOT NULL DEFAULT '';
