-- What somebody recorded in one case, said in their own name to another: asked there once, and a
-- refusal is final.

ALTER TABLE inbox ADD COLUMN once BOOLEAN NOT NULL DEFAULT FALSE;
