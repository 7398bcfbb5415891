-- Since when another state has taken the place of a past one; and the segments that past states had, each until the last one of them.
ALTER TABLE durable_history ADD COLUMN kept_at REAL NOT NULL DEFAULT 0;
UPDATE durable_history SET kept_at = (julianday('now') - 2440587.5) * 86400;
CREATE TABLE durable_past_segment (
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    until INTEGER NOT NULL,
    data BLOB, -- NULL: they had none of this name
    PRIMARY KEY (number, key, until)
) WITHOUT ROWID;
