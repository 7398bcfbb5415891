-- Ids of events that instances have published, also of those that are gone: a second event with one of them is dropped.
CREATE TABLE SCHEMA.event_id (
    id text PRIMARY KEY,
    published_at float8 NOT NULL
);
CREATE INDEX event_id_published ON SCHEMA.event_id (published_at);
