-- Ids of events that instances have published, also of those that are gone: a second event with one of them is dropped.
CREATE TABLE event_id (
    id TEXT PRIMARY KEY NOT NULL,
    published_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX event_id_published ON event_id (published_at);
