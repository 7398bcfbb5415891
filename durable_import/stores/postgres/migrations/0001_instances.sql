-- SCHEMA stands for the schema that the store was opened with.
-- Ids of any length and with any character: rows are found by the SHA-256 of the id. Texts are written with \\ for a
-- backslash, \0 for the character NUL and \uXXXX for a lone surrogate, which have no place in a text of PostgreSQL.
-- Times are seconds since 1970, by the clock of this server.

CREATE TABLE SCHEMA.durable_import_format (version integer NOT NULL);

-- The last committed state of each instance. A commit of one that runs changes no column that is in an index.
CREATE TABLE SCHEMA.instance (
    key bytea PRIMARY KEY,
    instance_id text NOT NULL,
    status text NOT NULL,
    checkpoint bigint NOT NULL,
    location text NOT NULL,
    function text NOT NULL,
    wake_at float8,
    updated_at float8 NOT NULL,
    ended_at float8,
    call bytea NOT NULL,
    outcome bytea NOT NULL,
    snapshot bytea NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX instance_due ON SCHEMA.instance (wake_at) WHERE status IN ('waiting', 'sleeping') AND wake_at IS NOT NULL;
CREATE INDEX instance_ended ON SCHEMA.instance (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX instance_abandoned ON SCHEMA.instance (status) WHERE status IN ('pending', 'running');

-- Who owns an instance now.
CREATE TABLE SCHEMA.claim (
    key bytea PRIMARY KEY,
    epoch bigint NOT NULL,
    owner text NOT NULL, -- JSON
    since float8 NOT NULL,
    until float8 NOT NULL
) WITH (fillfactor = 70);

-- Epochs count over all instances: one that was deleted and began anew must not get an old epoch again.
CREATE SEQUENCE SCHEMA.epoch;

-- Parts of snapshots of instances with many tasks: a commit writes only those that have changed.
CREATE TABLE SCHEMA.segment (
    key bytea NOT NULL,
    name text NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (key, name)
);

-- Messages for instances, also for such that do not exist yet. A number is never given twice.
CREATE TABLE SCHEMA.event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL,
    instance_id text NOT NULL,
    name text NOT NULL,
    published_at float8 NOT NULL,
    payload bytea NOT NULL
);
CREATE INDEX event_instance ON SCHEMA.event (key, number);

-- Counts what others may wait for. The last row that a transaction writes, so that nobody waits long for it.
CREATE TABLE SCHEMA.change (count bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO SCHEMA.change (count) VALUES (0);

-- Texts of functions, each once, to show what changed.
CREATE TABLE SCHEMA.source (
    key bytea PRIMARY KEY,
    text text NOT NULL
);
