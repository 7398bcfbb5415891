-- Earlier states of instances, where a store was asked to keep them.
CREATE TABLE SCHEMA.durable_history (
    key bytea NOT NULL,
    checkpoint bigint NOT NULL,
    status text NOT NULL,
    location text NOT NULL,
    wake_at float8,
    outcome bytea NOT NULL,
    snapshot bytea NOT NULL,
    kept_at float8 NOT NULL, -- since when another state has been in its place
    PRIMARY KEY (key, checkpoint)
);
ALTER TABLE SCHEMA.durable_history ALTER snapshot SET STORAGE EXTERNAL;

-- The segments that these states had, each until the last one of them.
CREATE TABLE SCHEMA.durable_past_segment (
    key bytea NOT NULL,
    name text NOT NULL,
    until bigint NOT NULL,
    data bytea, -- NULL: they had none of this name
    PRIMARY KEY (key, name, until)
);
ALTER TABLE SCHEMA.durable_past_segment ALTER data SET STORAGE EXTERNAL;
