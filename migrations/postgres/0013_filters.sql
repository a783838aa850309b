-- Parts of the queues that people want to find again.

CREATE TABLE filters (
    person TEXT NOT NULL,                    -- two accounts of one person are one
    queue  TEXT NOT NULL,                    -- check, approve
    name   TEXT NOT NULL,
    part   TEXT NOT NULL,                    -- all, mine, free, overdue
    kind   TEXT NOT NULL,                    -- the workflow; empty for every one
    words  TEXT NOT NULL,                    -- what names and numbers hold
    PRIMARY KEY (person, queue, name)
);
