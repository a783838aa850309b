-- Parts of scanned pages that nobody is served, because somebody wrote a password there. The file and
-- its pictures stay sealed as they came; whoever draws or serves a page paints these parts over.

CREATE TABLE masks (
    case_id INTEGER PRIMARY KEY,
    digest  BLOB NOT NULL,              -- SHA-256 of the file, as in pictures
    page    INTEGER NOT NULL,                -- its place in the file, from 1
    x       INTEGER NOT NULL,                -- ten-thousandths of the picture's width and height
    y       INTEGER NOT NULL,
    w       INTEGER NOT NULL,
    h       INTEGER NOT NULL,
    laid_by TEXT NOT NULL,                   -- the person, as histories name people
    lifted  INTEGER NOT NULL                 -- 1 once it hides nothing any more
);
CREATE INDEX masks_of_page ON masks (digest, page);
