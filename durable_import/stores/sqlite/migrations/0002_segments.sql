-- Parts of snapshots of instances with many tasks: a commit writes only those that have changed.
CREATE TABLE segment (
    instance_id TEXT NOT NULL,
    key TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (instance_id, key)
);
