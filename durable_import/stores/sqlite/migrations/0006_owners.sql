-- One row for each process that owns instances; what a commit writes apart from what is looked for; the call written once. All
-- tables have a prefix now: they may stand beside those of another program, and a process of an earlier release finds none.

CREATE TABLE durable_owner (
    id INTEGER PRIMARY KEY, -- random
    who TEXT NOT NULL, -- JSON
    since REAL NOT NULL, -- seconds since 1970, as all times here
    until REAL NOT NULL,
    lease REAL NOT NULL, -- seconds
    beat INTEGER NOT NULL,
    is_dead INTEGER NOT NULL DEFAULT 0
);
INSERT INTO durable_owner (id, who, since, until, lease, beat)
SELECT random() & 0x3FFFFFFFFFFFFFFF, owner, 0.0, max(iif(typeof(until) = 'real', until, 0.0)), 30.0, 0 FROM claim GROUP BY owner;

-- What instances are looked for by: it changes when one is begun, taken up, let go of, or ends.
CREATE TABLE durable_instance (
    number INTEGER PRIMARY KEY,
    instance_id TEXT NOT NULL UNIQUE,
    function TEXT NOT NULL,
    created_at REAL NOT NULL,
    parent TEXT,
    queue TEXT NOT NULL DEFAULT '',
    priority INTEGER NOT NULL DEFAULT 0,
    grp TEXT,
    shelf INTEGER NOT NULL, -- 0 owned, 1 ready, 2 rests, 3 completed, 4 failed, 5 cancelled, 6 stuck, 7 left before its end
    due REAL, -- since when, or from when on, there is something to do
    ended_at REAL
);
INSERT INTO durable_instance (number, instance_id, function, created_at, shelf, due, ended_at)
SELECT
    rowid, instance_id, function, updated_at,
    CASE
        WHEN EXISTS (SELECT * FROM claim WHERE claim.instance_id = instance.instance_id) THEN 0
        WHEN status = 'completed' THEN 3
        WHEN status = 'failed' THEN 4
        WHEN status = 'cancelled' THEN 5
        WHEN status NOT IN ('waiting', 'sleeping') THEN 7
        WHEN EXISTS (SELECT * FROM event WHERE event.instance_id = instance.instance_id) THEN 1
        ELSE 2
    END,
    CASE
        WHEN status NOT IN ('waiting', 'sleeping') THEN updated_at
        ELSE ifnull((SELECT min(published_at) FROM event WHERE event.instance_id = instance.instance_id), wake_at)
    END,
    CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN updated_at END
FROM instance;
CREATE INDEX durable_instance_created ON durable_instance (created_at);
CREATE INDEX durable_instance_shelf ON durable_instance (shelf, created_at);
CREATE INDEX durable_instance_function ON durable_instance (function, created_at);
CREATE INDEX durable_instance_parent ON durable_instance (parent, created_at) WHERE parent IS NOT NULL;
CREATE INDEX durable_instance_ready ON durable_instance (queue, priority DESC, due) WHERE shelf = 1;
CREATE INDEX durable_instance_rests ON durable_instance (due) WHERE shelf = 2 AND due IS NOT NULL;
CREATE INDEX durable_instance_left ON durable_instance (due) WHERE shelf = 7;
CREATE INDEX durable_instance_ended ON durable_instance (ended_at) WHERE ended_at IS NOT NULL;

-- All that a commit writes. Narrow columns first: they are read without the bytes.
CREATE TABLE durable_state (
    number INTEGER PRIMARY KEY,
    owner INTEGER,
    epoch INTEGER NOT NULL, -- a new random number for each claim
    status TEXT NOT NULL, -- empty: it is owned, and has no state yet
    checkpoint INTEGER NOT NULL,
    location TEXT NOT NULL,
    wake_at REAL,
    updated_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    lives INTEGER NOT NULL DEFAULT 0, -- begun since the last commit
    error TEXT,
    hold TEXT,
    progress TEXT,
    snapshot BLOB NOT NULL
);
INSERT INTO durable_state (number, owner, epoch, status, checkpoint, location, wake_at, updated_at, snapshot)
SELECT
    instance.rowid, durable_owner.id, random() & 0x3FFFFFFFFFFFFFFF, status, checkpoint, location, wake_at, updated_at, snapshot
FROM instance LEFT JOIN claim USING (instance_id) LEFT JOIN durable_owner ON who = claim.owner;
CREATE INDEX durable_state_owner ON durable_state (owner) WHERE owner IS NOT NULL;

CREATE TABLE durable_call (number INTEGER PRIMARY KEY, call BLOB NOT NULL);
INSERT INTO durable_call SELECT rowid, call FROM instance;

CREATE TABLE durable_outcome (number INTEGER PRIMARY KEY, outcome BLOB NOT NULL);
INSERT INTO durable_outcome SELECT rowid, outcome FROM instance WHERE length(outcome) > 0;

CREATE TABLE durable_tag (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (name, value, number)
) WITHOUT ROWID;
CREATE INDEX durable_tag_number ON durable_tag (number);

-- Parts of snapshots of instances with many tasks: a commit writes only those that have changed.
CREATE TABLE durable_segment (
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (number, key)
);
INSERT INTO durable_segment SELECT instance.rowid, key, data FROM segment JOIN instance USING (instance_id);

-- Which calls were given a key while the state could not be committed.
CREATE TABLE durable_key (
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    epoch INTEGER NOT NULL, -- of the life in which it came up last
    is_refused INTEGER NOT NULL DEFAULT 0, -- it came up with another digest
    PRIMARY KEY (number, key)
) WITHOUT ROWID;

-- Earlier states of instances, where a store was asked to keep them.
CREATE TABLE durable_history (
    number INTEGER NOT NULL,
    checkpoint INTEGER NOT NULL,
    status TEXT NOT NULL,
    location TEXT NOT NULL,
    wake_at REAL,
    outcome BLOB NOT NULL,
    snapshot BLOB NOT NULL,
    PRIMARY KEY (number, checkpoint)
);
INSERT INTO durable_history
SELECT instance.rowid, history.checkpoint, history.status, history.location, history.wake_at, history.outcome, history.snapshot
FROM history JOIN instance USING (instance_id);

DROP TABLE instance;
DROP TABLE claim;
DROP TABLE epoch;
DROP TABLE change;
DROP TABLE segment;
DROP TABLE history;
ALTER TABLE event RENAME TO durable_event;
ALTER TABLE event_id RENAME TO durable_event_id;
ALTER TABLE source RENAME TO durable_source;

-- For people who look: what there is of each instance.
CREATE VIEW instance AS
SELECT
    instance_id, status, checkpoint, location, function, wake_at, created_at, updated_at, durable_owner.who AS owner, call, outcome,
    snapshot
FROM durable_instance JOIN durable_state USING (number) LEFT JOIN durable_call USING (number)
LEFT JOIN durable_outcome USING (number) LEFT JOIN durable_owner ON durable_owner.id = owner
WHERE status <> '';
