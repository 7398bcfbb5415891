-- When somebody said last that a text is needed. What is there was needed until now.
ALTER TABLE SCHEMA.durable_source ADD COLUMN saved_at float8 NOT NULL DEFAULT extract(epoch FROM clock_timestamp())::float8;

-- What an instance was before it was moved to other code by hand.
CREATE TABLE SCHEMA.durable_before (
    key bytea PRIMARY KEY,
    data bytea NOT NULL
);
ALTER TABLE SCHEMA.durable_before ALTER COLUMN data SET STORAGE EXTERNAL;
