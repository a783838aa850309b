-- What somebody recorded in one case, said in their own name to another: asked there once, and a
-- refusal is final.

ALTER TABLE inbox ADD COLUMN once BOOLEAN NOT NULL DEFAULT FALSE;

-- Every scanned number is looked for among those of all letters.
CREATE INDEX letters_by_tracking ON letters (tracking);
