-- When somebody said last that a text is needed. What is there was needed until now.
ALTER TABLE durable_source ADD COLUMN saved_at REAL NOT NULL DEFAULT 0.0;
UPDATE durable_source SET saved_at = (julianday('now') - 2440587.5) * 86400.0;

-- What an instance was before it was moved to other code by hand.
CREATE TABLE durable_before (
    number INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);
