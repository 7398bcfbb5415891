-- Earlier states of instances, where a store was asked to keep them (see sqlite_history.sql).
CREATE TABLE history (
    instance_id TEXT NOT NULL,
    checkpoint INTEGER NOT NULL,
    status TEXT NOT NULL,
    location TEXT NOT NULL,
    function TEXT NOT NULL,
    wake_at REAL,
    call BLOB NOT NULL,
    outcome BLOB NOT NULL,
    snapshot BLOB NOT NULL,
    PRIMARY KEY (instance_id, checkpoint)
);
