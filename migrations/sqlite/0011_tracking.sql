-- Every scanned number is looked for among those of all letters.
CREATE INDEX letters_by_tracking ON letters (tracking);
