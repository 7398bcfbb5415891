-- One row for each process that owns instances; what a commit writes apart from what is looked for; the call written once. All
-- tables have a prefix now: they may stand beside those of another program, and a process of an earlier release finds none.

CREATE TABLE SCHEMA.durable_owner (
    id bigint PRIMARY KEY, -- random
    who text NOT NULL, -- JSON
    since float8 NOT NULL,
    until float8 NOT NULL,
    lease float8 NOT NULL, -- seconds
    beat bigint NOT NULL,
    is_dead boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
INSERT INTO SCHEMA.durable_owner (id, who, since, until, lease, beat)
SELECT (random() * 4611686018427387903)::bigint, owner, min(since), max(until), 30, 0 FROM SCHEMA.claim GROUP BY owner;

-- What instances are looked for by: it changes when one is begun, taken up, let go of, or ends.
CREATE TABLE SCHEMA.durable_instance (
    key bytea PRIMARY KEY,
    instance_id text NOT NULL,
    function text NOT NULL,
    created_at float8 NOT NULL,
    parent text,
    queue text NOT NULL DEFAULT '',
    priority integer NOT NULL DEFAULT 0,
    grp text,
    shelf smallint NOT NULL, -- 0 owned, 1 ready, 2 rests, 3 completed, 4 failed, 5 cancelled, 6 stuck, 7 left before its end
    due float8, -- since when, or from when on, there is something to do
    ended_at float8
) WITH (fillfactor = 80);
INSERT INTO SCHEMA.durable_instance (key, instance_id, function, created_at, shelf, due, ended_at)
SELECT
    key, instance_id, function, updated_at,
    CASE
        WHEN EXISTS (SELECT FROM SCHEMA.claim WHERE claim.key = instance.key) THEN 0
        WHEN status = 'completed' THEN 3
        WHEN status = 'failed' THEN 4
        WHEN status = 'cancelled' THEN 5
        WHEN status NOT IN ('waiting', 'sleeping') THEN 7
        WHEN EXISTS (SELECT FROM SCHEMA.event WHERE event.key = instance.key) THEN 1
        ELSE 2
    END,
    CASE
        WHEN status NOT IN ('waiting', 'sleeping') THEN updated_at
        ELSE coalesce((SELECT min(published_at) FROM SCHEMA.event WHERE event.key = instance.key), wake_at)
    END,
    ended_at
FROM SCHEMA.instance;
CREATE INDEX durable_instance_created ON SCHEMA.durable_instance (created_at);
CREATE INDEX durable_instance_shelf ON SCHEMA.durable_instance (shelf, created_at);
CREATE INDEX durable_instance_function ON SCHEMA.durable_instance (function, created_at);
CREATE INDEX durable_instance_prefix ON SCHEMA.durable_instance (left(instance_id, 64) text_pattern_ops);
CREATE INDEX durable_instance_parent ON SCHEMA.durable_instance (parent, created_at) WHERE parent IS NOT NULL;
CREATE INDEX durable_instance_ready ON SCHEMA.durable_instance (queue, priority DESC, due) WHERE shelf = 1;
CREATE INDEX durable_instance_rests ON SCHEMA.durable_instance (due) WHERE shelf = 2 AND due IS NOT NULL;
CREATE INDEX durable_instance_left ON SCHEMA.durable_instance (due) WHERE shelf = 7;
CREATE INDEX durable_instance_ended ON SCHEMA.durable_instance (ended_at) WHERE ended_at IS NOT NULL;

-- All that a commit writes. No commit changes a column that is in an index.
CREATE TABLE SCHEMA.durable_state (
    key bytea PRIMARY KEY,
    owner bigint,
    epoch bigint NOT NULL, -- a new random number for each claim
    status text NOT NULL, -- empty: it is owned, and has no state yet
    checkpoint bigint NOT NULL,
    location text NOT NULL,
    wake_at float8,
    updated_at float8 NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    lives integer NOT NULL DEFAULT 0, -- begun since the last commit
    error text,
    hold text,
    progress text,
    snapshot bytea NOT NULL
) WITH (fillfactor = 50);
ALTER TABLE SCHEMA.durable_state ALTER snapshot SET STORAGE EXTERNAL;
INSERT INTO SCHEMA.durable_state (key, owner, epoch, status, checkpoint, location, wake_at, updated_at, snapshot)
SELECT
    instance.key, durable_owner.id, (random() * 4611686018427387903)::bigint, status, checkpoint, location, wake_at, updated_at,
    snapshot
FROM SCHEMA.instance LEFT JOIN SCHEMA.claim USING (key) LEFT JOIN SCHEMA.durable_owner ON who = claim.owner;
CREATE INDEX durable_state_owner ON SCHEMA.durable_state (owner) WHERE owner IS NOT NULL;

CREATE TABLE SCHEMA.durable_call (key bytea PRIMARY KEY, call bytea NOT NULL);
ALTER TABLE SCHEMA.durable_call ALTER call SET STORAGE EXTERNAL;
INSERT INTO SCHEMA.durable_call SELECT key, call FROM SCHEMA.instance;

CREATE TABLE SCHEMA.durable_outcome (key bytea PRIMARY KEY, outcome bytea NOT NULL);
ALTER TABLE SCHEMA.durable_outcome ALTER outcome SET STORAGE EXTERNAL;
INSERT INTO SCHEMA.durable_outcome SELECT key, outcome FROM SCHEMA.instance WHERE length(outcome) > 0;

CREATE TABLE SCHEMA.durable_tag (
    name text NOT NULL,
    value text NOT NULL,
    key bytea NOT NULL,
    PRIMARY KEY (name, value, key)
);
CREATE INDEX durable_tag_key ON SCHEMA.durable_tag (key);

-- Which calls were given a key while the state could not be committed.
CREATE TABLE SCHEMA.durable_key (
    key bytea NOT NULL,
    step_key text NOT NULL,
    digest bytea NOT NULL,
    epoch bigint NOT NULL, -- of the life in which it came up last
    is_refused boolean NOT NULL DEFAULT false, -- it came up with another digest
    PRIMARY KEY (key, step_key)
);

DROP TABLE SCHEMA.instance;
DROP TABLE SCHEMA.claim;
DROP TABLE SCHEMA.change;
DROP SEQUENCE SCHEMA.epoch;
ALTER TABLE SCHEMA.segment RENAME TO durable_segment;
ALTER TABLE SCHEMA.event RENAME TO durable_event;
ALTER TABLE SCHEMA.event_id RENAME TO durable_event_id;
ALTER TABLE SCHEMA.source RENAME TO durable_source;

-- For people who look: what there is of each instance.
CREATE VIEW SCHEMA.instance AS
SELECT
    instance_id, status, checkpoint, location, function, wake_at, created_at, updated_at, durable_owner.who AS owner, call, outcome,
    snapshot
FROM SCHEMA.durable_instance JOIN SCHEMA.durable_state USING (key) LEFT JOIN SCHEMA.durable_call USING (key)
LEFT JOIN SCHEMA.durable_outcome USING (key) LEFT JOIN SCHEMA.durable_owner ON durable_owner.id = owner
WHERE status <> '';
