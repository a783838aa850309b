-- Legal holds: cases of which nothing may be deleted. The database itself keeps them, so that no job
-- that deletes or redacts, now or later, can forget to ask.

CREATE TABLE holds (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id       INTEGER NOT NULL REFERENCES cases (id),
    reference     TEXT NOT NULL,             -- of the dispute or request
    reason        TEXT NOT NULL,
    placed_by     TEXT NOT NULL,             -- who proposed it, as histories name people
    approved_by   TEXT NOT NULL,
    placed_at     INTEGER NOT NULL,
    proposal      INTEGER NOT NULL,              -- the case of the proposal
    lifted_at     INTEGER,
    lift_proposal INTEGER
);
CREATE UNIQUE INDEX holds_in_force ON holds (case_id, reference) WHERE lifted_at IS NULL;

CREATE TRIGGER entries_held BEFORE DELETE ON entries
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER entry_details_held BEFORE DELETE ON entry_details
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER reissues_held BEFORE DELETE ON reissues
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER letters_held BEFORE DELETE ON letters
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER submissions_held BEFORE DELETE ON submissions
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER items_held BEFORE DELETE ON items
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER tasks_held BEFORE DELETE ON tasks
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.about_case AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER cases_held BEFORE DELETE ON cases
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
-- The scans of a form belong to every case that it asks for.
CREATE TRIGGER pages_held BEFORE DELETE ON pages
    WHEN EXISTS (SELECT 1 FROM holds h WHERE h.lifted_at IS NULL AND h.case_id IN (
        SELECT case_id FROM submissions WHERE number = OLD.submission
        UNION SELECT case_id FROM items WHERE submission = OLD.submission
        UNION SELECT case_id FROM reissues WHERE submission = OLD.submission))
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER pages_emptied BEFORE UPDATE OF picture, digest ON pages
    WHEN (NEW.picture IS NOT OLD.picture OR NEW.digest IS NOT OLD.digest)
    AND EXISTS (SELECT 1 FROM holds h WHERE h.lifted_at IS NULL AND h.case_id IN (
        SELECT case_id FROM submissions WHERE number = OLD.submission
        UNION SELECT case_id FROM items WHERE submission = OLD.submission
        UNION SELECT case_id FROM reissues WHERE submission = OLD.submission))
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER entry_details_redacted BEFORE UPDATE ON entry_details
    WHEN EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
CREATE TRIGGER letters_emptied BEFORE UPDATE OF specimen ON letters
    WHEN NEW.specimen IS NOT OLD.specimen AND EXISTS (SELECT 1 FROM holds WHERE case_id = OLD.case_id AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
-- A hold is lifted by two people, never removed.
CREATE TRIGGER holds_kept BEFORE DELETE ON holds
    BEGIN SELECT RAISE(ABORT, 'a legal hold keeps this'); END;
