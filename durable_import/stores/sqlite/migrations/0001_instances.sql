-- Texts that are not valid Unicode (lone surrogates from the command line) are stored as BLOB in their TEXT column.

-- The last committed state of each instance. The snapshot comes last: the columns before it are read without it.
CREATE TABLE instance (
    instance_id TEXT PRIMARY KEY NOT NULL,
    status TEXT NOT NULL,
    checkpoint INTEGER NOT NULL,
    location TEXT NOT NULL,
    function TEXT NOT NULL,
    updated_at REAL NOT NULL, -- seconds since 1970
    snapshot BLOB NOT NULL
);

-- Who owns an instance now. Apart from the state, so that a renewal does not copy a snapshot.
CREATE TABLE claim (
    instance_id TEXT PRIMARY KEY NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT NOT NULL, -- JSON
    since REAL NOT NULL,
    until REAL NOT NULL
) WITHOUT ROWID;

-- The epoch given last, over all instances: one that was deleted and began anew must not get an old epoch again.
CREATE TABLE epoch (last INTEGER NOT NULL);
INSERT INTO epoch (last) VALUES (0);

-- Texts of functions, each once, to show what changed.
CREATE TABLE source (
    digest TEXT PRIMARY KEY NOT NULL,
    text TEXT NOT NULL
) WITHOUT ROWID;
