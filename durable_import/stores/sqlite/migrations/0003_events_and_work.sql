-- The call and the outcome of an instance, and when it wants to go on. Narrow columns first: they are read without the bytes.
CREATE TABLE instance_of_today (
    instance_id TEXT PRIMARY KEY NOT NULL,
    status TEXT NOT NULL,
    checkpoint INTEGER NOT NULL,
    location TEXT NOT NULL,
    function TEXT NOT NULL,
    wake_at REAL, -- seconds since 1970, as all times here
    updated_at REAL NOT NULL,
    call BLOB NOT NULL,
    outcome BLOB NOT NULL,
    snapshot BLOB NOT NULL
);
INSERT INTO instance_of_today
SELECT instance_id, status, checkpoint, location, function, NULL, updated_at, x'', x'', snapshot FROM instance;
DROP TABLE instance;
ALTER TABLE instance_of_today RENAME TO instance;

-- Each is touched only by instances that it lists: one that runs costs its commits one small page.
CREATE INDEX instance_due ON instance (wake_at) WHERE status IN ('waiting', 'sleeping') AND wake_at IS NOT NULL;
CREATE INDEX instance_finished ON instance (updated_at) WHERE status IN ('completed', 'failed', 'cancelled');
CREATE INDEX instance_abandoned ON instance (status) WHERE status IN ('pending', 'running');

-- Messages for instances, also for such that do not exist yet. A number is never given twice.
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id TEXT NOT NULL,
    name TEXT NOT NULL,
    published_at REAL NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX event_instance ON event (instance_id, number);

-- Counts events and commits that somebody may wait for; processes look at it.
CREATE TABLE change (count INTEGER NOT NULL);
INSERT INTO change (count) VALUES (0);
