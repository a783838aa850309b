-- Staff who sign in at the bank's identity provider: whom it knows as which account. One person of
-- the provider is one account.
ALTER TABLE staff ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX staff_by_subject ON staff (issuer, subject) WHERE subject <> '';
