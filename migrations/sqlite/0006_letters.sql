-- When a sealed letter was handed to the print station: it is handed over once.

ALTER TABLE letters ADD COLUMN handed_at INTEGER;
CREATE INDEX letters_by_state ON letters (state, id);
CREATE INDEX letters_due_unprinted ON letters_due (due_on, outbox_id) WHERE printed_at IS NULL;
