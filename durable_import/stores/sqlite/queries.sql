-- name: find
SELECT number, shelf, owner, status, epoch, lives, attempts, error
FROM durable_instance JOIN durable_state USING (number) WHERE instance_id = ?;

-- name: load
SELECT status, checkpoint, location, function, wake_at, snapshot, outcome, call
FROM durable_instance JOIN durable_state USING (number) LEFT JOIN durable_call USING (number) LEFT JOIN durable_outcome USING (number)
WHERE instance_id = ? AND status <> '';

-- name: add_instance
INSERT INTO durable_instance (instance_id, function, created_at, parent, shelf) VALUES (?, ?, ?, ?, 0);

-- name: add_tag
INSERT INTO durable_tag (name, value, number) VALUES (?, ?, ?);

-- name: remove_tag
DELETE FROM durable_tag WHERE number = ? AND name = ?;

-- name: add_state
INSERT INTO durable_state (number, owner, epoch, status, checkpoint, location, wake_at, updated_at, snapshot)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_call
INSERT OR REPLACE INTO durable_call (number, call) VALUES (?, ?);

-- name: put_outcome
INSERT OR REPLACE INTO durable_outcome (number, outcome) VALUES (?, ?);

-- name: take
UPDATE durable_state SET owner = ?, epoch = ?, attempts = ?, error = ?, lives = lives + ?, hold = NULL WHERE number = ?;

-- name: take_from_shelf
UPDATE durable_instance SET shelf = 0 WHERE number = ?;

-- name: name_instance
UPDATE durable_instance SET function = ? WHERE number = ?;

-- name: commit
-- The claim is checked by the statement that writes, and that the state is still there which it goes on from: no row, no commit.
-- It touches an index only if the status becomes another one: else this is done by ``commit_on``.
UPDATE durable_state
SET status = ?, checkpoint = ?, location = ?, wake_at = ?, updated_at = ?, snapshot = ?, attempts = ?, error = NULL, hold = NULL, lives = 0
WHERE number = ? AND epoch = ? AND owner IS NOT NULL AND checkpoint >= ?;

-- name: commit_on
UPDATE durable_state
SET checkpoint = ?, location = ?, wake_at = ?, updated_at = ?, snapshot = ?, attempts = ?, error = NULL, hold = NULL, lives = 0
WHERE number = ? AND epoch = ? AND owner IS NOT NULL AND checkpoint >= ? AND status = ?;

-- name: end
-- Once more with the same state is no harm.
UPDATE durable_state
SET status = :status, checkpoint = :checkpoint, location = :location, wake_at = NULL, updated_at = :now, owner = NULL,
    attempts = 0, error = NULL, snapshot = iif(:keeps, snapshot, :snapshot)
WHERE number = :number AND epoch = :epoch AND checkpoint >= :before
    AND (owner IS NOT NULL OR (status = :status AND checkpoint = :checkpoint));

-- name: current
-- Where it stands that is owned by a claim.
SELECT checkpoint FROM durable_state WHERE number = ? AND epoch = ? AND owner IS NOT NULL;

-- name: release
UPDATE durable_state
SET owner = NULL, lives = lives - :unlived, attempts = ifnull(:attempts, attempts), error = ifnull(:error, error)
WHERE number = :number AND epoch = :epoch AND owner IS NOT NULL
RETURNING status, wake_at, updated_at, error;

-- name: note_hold
UPDATE durable_state SET hold = ? WHERE number = ? AND epoch = ? AND owner IS NOT NULL AND checkpoint = ?;

-- name: give_up
UPDATE durable_state SET owner = NULL, epoch = 0, attempts = ?, error = ? WHERE number = ?;

-- name: retry
-- What nobody owns, and is stuck (6), has failed (4) or is to be tried again (8).
UPDATE durable_instance SET shelf = 1, due = :now WHERE instance_id = :instance_id AND shelf IN (4, 6, 8)
RETURNING number;

-- name: hasten
UPDATE durable_instance INDEXED BY durable_instance_again SET due = :now WHERE shelf = 8 AND due > :now;

-- name: begin_attempts
-- One that has failed is told from those that are not to be tried again by an empty error.
UPDATE durable_state SET attempts = 0, error = iif(status = 'failed', '', NULL) WHERE number = ?;

-- name: shelve
UPDATE durable_instance SET shelf = ?, due = ?, ended_at = ? WHERE number = ?;

-- name: set_aside
-- Since when it has failed, if it has, stays.
UPDATE durable_instance SET shelf = ?, due = ? WHERE number = ?;

-- name: ended_at
SELECT ended_at FROM durable_instance WHERE number = ?;

-- name: keep_history
-- Of one connection: what a commit with another checkpoint number overwrites is kept, so far as it is to be (:first, :oldest).
CREATE TEMP TRIGGER keep_history BEFORE UPDATE ON main.durable_state
WHEN old.checkpoint IS NOT new.checkpoint AND old.status <> ''
BEGIN
    INSERT OR REPLACE INTO durable_history (number, checkpoint, status, location, wake_at, outcome, snapshot, kept_at)
    VALUES (
        old.number, old.checkpoint, old.status, old.location, old.wake_at,
        ifnull((SELECT outcome FROM durable_outcome WHERE number = old.number), x''), old.snapshot, new.updated_at
    );
END;

-- name: clear_history
-- Likewise: what is not to be kept any more, and the segments that only these states had.
CREATE TEMP TRIGGER clear_history AFTER UPDATE ON main.durable_state
WHEN old.checkpoint IS NOT new.checkpoint AND old.status <> ''
BEGIN
    DELETE FROM durable_history WHERE number = old.number AND (LIMIT);
    DELETE FROM durable_past_segment WHERE number = old.number
        AND until < (SELECT min(checkpoint) FROM durable_history WHERE number = old.number);
END;

-- name: go_back
-- Likewise, of an instance that goes back to an earlier checkpoint: the history goes on from there. Segments of the states that stay
-- are those which they had until the last one of these.
CREATE TEMP TRIGGER go_back AFTER UPDATE ON main.durable_state
WHEN new.checkpoint < old.checkpoint
BEGIN
    DELETE FROM durable_history WHERE number = new.number AND checkpoint >= new.checkpoint;
    INSERT OR IGNORE INTO durable_past_segment (number, key, until, data)
    SELECT number, key, (SELECT max(checkpoint) FROM durable_history WHERE number = new.number), data
    FROM durable_past_segment AS later
    WHERE number = new.number AND until = (
        SELECT min(until) FROM durable_past_segment
        WHERE number = later.number AND key = later.key
            AND until >= (SELECT max(checkpoint) FROM durable_history WHERE number = new.number)
    );
    DELETE FROM durable_past_segment WHERE number = new.number AND until >= new.checkpoint;
END;

-- name: keep_changed_segment
-- Likewise: a past state has had it, until the last one that there is. What is to be done about a row that is there is what the
-- statement says which has fired the trigger: so that is asked first.
CREATE TEMP TRIGGER keep_changed_segment BEFORE UPDATE ON main.durable_segment
WHEN old.data IS NOT new.data
BEGIN
    INSERT INTO durable_past_segment (number, key, until, data)
    SELECT old.number, old.key, last, old.data
    FROM (SELECT max(checkpoint) AS last FROM durable_history WHERE number = old.number)
    WHERE last IS NOT NULL AND NOT EXISTS (
        SELECT * FROM durable_past_segment WHERE number = old.number AND key = old.key AND until = last
    );
END;

-- name: keep_removed_segment
CREATE TEMP TRIGGER keep_removed_segment BEFORE DELETE ON main.durable_segment
BEGIN
    INSERT INTO durable_past_segment (number, key, until, data)
    SELECT old.number, old.key, last, old.data
    FROM (SELECT max(checkpoint) AS last FROM durable_history WHERE number = old.number)
    WHERE last IS NOT NULL AND NOT EXISTS (
        SELECT * FROM durable_past_segment WHERE number = old.number AND key = old.key AND until = last
    );
END;

-- name: keep_new_segment
-- Likewise: no past state has had it.
CREATE TEMP TRIGGER keep_new_segment BEFORE INSERT ON main.durable_segment
WHEN NOT EXISTS (SELECT * FROM durable_segment WHERE number = new.number AND key = new.key)
BEGIN
    INSERT INTO durable_past_segment (number, key, until, data)
    SELECT new.number, new.key, last, NULL
    FROM (SELECT max(checkpoint) AS last FROM durable_history WHERE number = new.number)
    WHERE last IS NOT NULL AND NOT EXISTS (
        SELECT * FROM durable_past_segment WHERE number = new.number AND key = new.key AND until = last
    );
END;

-- name: load_history
SELECT history.status, history.checkpoint, history.location, function, history.wake_at, history.snapshot, outcome, NULL
FROM durable_instance JOIN durable_history AS history USING (number) WHERE instance_id = ? AND kept_at >= ? ORDER BY checkpoint;

-- name: load_past_segments
-- Each as it was until the first change behind a checkpoint; those that had not changed since as they are.
SELECT CAST(key AS BLOB), CAST(data AS BLOB) FROM durable_instance JOIN durable_past_segment AS past USING (number)
WHERE instance_id = :instance_id AND data IS NOT NULL AND until = (
    SELECT min(until) FROM durable_past_segment
    WHERE number = past.number AND key = past.key AND until >= :checkpoint
)
UNION ALL
SELECT CAST(key AS BLOB), CAST(data AS BLOB) FROM durable_instance JOIN durable_segment AS its USING (number)
WHERE instance_id = :instance_id AND NOT EXISTS (
    SELECT * FROM durable_past_segment WHERE number = its.number AND key = its.key AND until >= :checkpoint
);

-- name: number_of
SELECT number FROM durable_instance WHERE instance_id = ?;

-- name: delete_instance
DELETE FROM durable_instance WHERE number = ?;

-- name: delete_state
DELETE FROM durable_state WHERE number = ?;

-- name: delete_call
DELETE FROM durable_call WHERE number = ?;

-- name: delete_outcome
DELETE FROM durable_outcome WHERE number = ?;

-- name: delete_tags
DELETE FROM durable_tag WHERE number = ?;

-- name: delete_before
DELETE FROM durable_before WHERE number = ?;

-- name: put_before
-- No row: the claim is not current.
INSERT OR REPLACE INTO durable_before (number, data)
SELECT number, :data FROM durable_state WHERE number = :number AND epoch = :epoch AND owner IS NOT NULL;

-- name: load_before
SELECT CAST(data AS BLOB) FROM durable_instance JOIN durable_before USING (number) WHERE instance_id = ?;

-- name: delete_history
DELETE FROM durable_history WHERE number = ?;

-- name: delete_past_segments
DELETE FROM durable_past_segment WHERE number = ?;

-- name: remove_segments
DELETE FROM durable_segment WHERE number = ?;

-- name: put_segment
INSERT INTO durable_segment (number, key, data) VALUES (?, ?, ?) ON CONFLICT (number, key) DO UPDATE SET data = excluded.data;

-- name: remove_segment
DELETE FROM durable_segment WHERE number = ? AND key = ?;

-- name: has_segments
SELECT EXISTS (SELECT * FROM durable_segment WHERE number = ?);

-- name: load_segments
-- As bytes, whatever somebody has put there: that they are not ours is found out before they are opened.
SELECT CAST(key AS BLOB), CAST(data AS BLOB) FROM durable_instance JOIN durable_segment USING (number) WHERE instance_id = ?;

-- name: load_segment
SELECT CAST(key AS BLOB), CAST(data AS BLOB) FROM durable_instance JOIN durable_segment USING (number)
WHERE instance_id = ? AND key = ?;

-- name: keep_key
-- The first digest stays. No row: the claim is not current.
INSERT INTO durable_key (number, key, digest, epoch)
SELECT number, :key, :digest, epoch FROM durable_state WHERE number = :number AND epoch = :epoch AND owner IS NOT NULL
ON CONFLICT (number, key) DO UPDATE SET epoch = excluded.epoch, is_refused = digest <> excluded.digest
RETURNING CAST(digest AS BLOB);

-- name: forget_keys
DELETE FROM durable_key WHERE number = ? AND epoch = ?;

-- name: forget_refused_keys
DELETE FROM durable_key WHERE number = ? AND is_refused;

-- name: delete_keys
DELETE FROM durable_key WHERE number = ?;

-- name: find_owner
SELECT who, since, until, is_dead FROM durable_owner WHERE id = ?;

-- name: owners
SELECT id, who, beat, lease, until, is_dead, since FROM durable_owner;

-- name: missing_owners
-- Whose row somebody has removed: found by as many steps as there are owners.
WITH RECURSIVE each_owner (id) AS (
    SELECT min(owner) FROM durable_state WHERE owner IS NOT NULL
    UNION ALL
    SELECT (SELECT min(owner) FROM durable_state WHERE owner > each_owner.id) FROM each_owner WHERE each_owner.id IS NOT NULL
)
SELECT id FROM each_owner WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM durable_owner);

-- name: put_owner
INSERT INTO durable_owner (id, who, since, until, lease, beat) VALUES (?, ?, ?, ?, ?, 0)
ON CONFLICT (id) DO UPDATE SET until = excluded.until, lease = excluded.lease WHERE NOT is_dead;

-- name: renew
UPDATE durable_owner SET beat = ?, until = ?, lease = ? WHERE id = ? AND beat = ? AND NOT is_dead;

-- name: declare_dead
-- One whose beat somebody has put something else in is not alive: it could not renew that.
UPDATE durable_owner SET is_dead = 1 WHERE id = ? AND (beat = ? OR typeof(beat) <> 'integer');

-- name: retire
UPDATE durable_owner SET is_dead = 1 WHERE id = ?;

-- name: owned_by
SELECT number, instance_id, status, wake_at, updated_at, error FROM durable_state LEFT JOIN durable_instance USING (number)
WHERE owner = ? LIMIT ?;

-- name: claims_of
SELECT instance_id, epoch, number FROM durable_state JOIN durable_instance USING (number) WHERE owner = ?;

-- name: bury
-- Who waited or slept is not to blame for the death of its process. Without another epoch a zombie would commit.
UPDATE durable_state
SET
    owner = NULL, epoch = 0, attempts = attempts + (status IN ('pending', 'running') AND typeof(attempts) = 'integer'),
    error = iif(status IN ('pending', 'running'), NULL, error)
WHERE number = ?;

-- name: let_go
UPDATE durable_state SET owner = NULL, epoch = 0 WHERE number = ?;

-- name: forget_owner
DELETE FROM durable_owner WHERE id = ? AND NOT EXISTS (SELECT * FROM durable_state WHERE owner = durable_owner.id);

-- name: forget_idle_owners
-- Those that have left nothing; what the others have is let go of when work is looked for.
DELETE FROM durable_owner
WHERE (typeof(until) <> 'real' OR until <= ?) AND NOT EXISTS (SELECT * FROM durable_state WHERE owner = durable_owner.id);

-- name: summary
SELECT
    instance_id, iif(shelf = 6, 'stuck', status), checkpoint, location, function, wake_at, updated_at, durable_owner.who,
    durable_owner.until, created_at, parent, number, attempts, error, iif(owner IS NULL, NULL, hold)
FROM durable_instance JOIN durable_state USING (number) LEFT JOIN durable_owner ON durable_owner.id = owner
WHERE status <> ''

-- name: tags_of
SELECT name, value FROM durable_tag WHERE number = ?;

-- name: tables_of_instances
-- The second is that of earlier releases.
SELECT name FROM sqlite_schema WHERE name IN ('durable_instance', 'instance');

-- name: find_due
SELECT instance_id, due, queue, attempts, error IS NOT NULL
FROM durable_instance INDEXED BY durable_instance_rests CROSS JOIN durable_state USING (number)
WHERE shelf = 2 AND due IS NOT NULL AND due <= ? ORDER BY due;

-- name: find_again
SELECT instance_id, due, queue, attempts, error IS NOT NULL
FROM durable_instance INDEXED BY durable_instance_again CROSS JOIN durable_state USING (number)
WHERE shelf = 8 AND due <= ? ORDER BY due;

-- name: find_out_of_time
-- No pause between two attempts is so long: the clock was set back, or somebody has put something else there.
SELECT instance_id, due, queue, attempts, error IS NOT NULL
FROM durable_instance INDEXED BY durable_instance_again CROSS JOIN durable_state USING (number)
WHERE shelf = 8 AND due > ? ORDER BY due;

-- name: find_ready
SELECT instance_id, due, queue, attempts, error IS NOT NULL
FROM durable_instance INDEXED BY durable_instance_ready CROSS JOIN durable_state USING (number)
WHERE shelf = 1 AND queue = ? ORDER BY priority DESC, due;

-- name: find_left
SELECT instance_id, due, queue, attempts, error IS NOT NULL
FROM durable_instance INDEXED BY durable_instance_left CROSS JOIN durable_state USING (number)
WHERE shelf = 7 ORDER BY due;

-- name: claimed
SELECT instance_id FROM durable_state JOIN durable_instance USING (number) WHERE owner = ? AND epoch = ?;

-- name: find_finished
SELECT number, instance_id FROM durable_instance INDEXED BY durable_instance_ended
WHERE ended_at IS NOT NULL AND ended_at <= ? AND shelf IN (3, 4, 5);

-- name: save_source
INSERT INTO durable_source (digest, text, saved_at) VALUES (?, ?, ?)
ON CONFLICT (digest) DO UPDATE SET saved_at = excluded.saved_at;

-- name: load_source
SELECT text FROM durable_source WHERE digest = ?;

-- name: old_sources
SELECT digest FROM durable_source WHERE saved_at < ?;

-- name: has_old_sources
SELECT EXISTS (SELECT * FROM durable_source WHERE saved_at < ?);

-- name: remove_source
DELETE FROM durable_source WHERE digest = ?;

-- name: is_needed
UPDATE durable_source SET saved_at = ? WHERE digest = ?;

-- name: page_of_states
SELECT max(number) FROM (SELECT number FROM durable_state WHERE number > ? ORDER BY number LIMIT ?);

-- name: blobs
SELECT CAST(snapshot AS BLOB) FROM durable_state WHERE number > :after AND number <= :last
UNION ALL SELECT CAST(data AS BLOB) FROM durable_segment WHERE number > :after AND number <= :last
UNION ALL SELECT CAST(call AS BLOB) FROM durable_call WHERE number > :after AND number <= :last
UNION ALL SELECT CAST(snapshot AS BLOB) FROM durable_history WHERE number > :after AND number <= :last
UNION ALL
SELECT CAST(data AS BLOB) FROM durable_past_segment WHERE number > :after AND number <= :last AND data IS NOT NULL
UNION ALL SELECT CAST(data AS BLOB) FROM durable_before WHERE number > :after AND number <= :last;

-- name: publish_event
INSERT INTO durable_event (instance_id, name, published_at, payload) VALUES (?, ?, ?, ?);

-- name: has_last_number
-- Somebody has put it there: SQLite has no number after it.
SELECT 1 FROM durable_event WHERE number = 9223372036854775807;

-- name: publish_numbered
INSERT INTO durable_event (number, instance_id, name, published_at, payload)
SELECT
    1 + max(
        ifnull((SELECT max(number) FROM durable_event WHERE number < 4611686018427387904), 0),
        ifnull((SELECT max(seq) FROM sqlite_sequence WHERE name = 'durable_event' AND seq < 4611686018427387904), 0)
    ), ?, ?, ?, ?;

-- name: is_ready
-- What could not go on (8) is not tried sooner because of an event.
UPDATE durable_instance SET shelf = 1, due = ? WHERE instance_id = ? AND shelf = 2;

-- name: note_event_id
INSERT INTO durable_event_id (id, published_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING;

-- name: find_event_id
SELECT 1 FROM durable_event_id WHERE id = ?;

-- name: forget_event_ids
DELETE FROM durable_event_id WHERE published_at <= ?;

-- name: forget_answers
DELETE FROM durable_event WHERE instance_id >= ? AND instance_id < ? AND published_at <= ?;

-- name: load_events
SELECT number, name, payload FROM durable_event WHERE instance_id = ? ORDER BY number;

-- name: first_event
SELECT min(published_at) FROM durable_event WHERE instance_id = ?;

-- name: pending
-- By the number, which is no index: that of instances would be gone through for the sake of the groups.
SELECT durable_event.instance_id, max(durable_event.number)
FROM durable_event NOT INDEXED CROSS JOIN durable_instance USING (instance_id) CROSS JOIN durable_state
WHERE durable_event.number > ? AND durable_state.number = durable_instance.number AND owner = ?
GROUP BY durable_event.instance_id;

-- name: remove_event
DELETE FROM durable_event WHERE instance_id = ? AND number = ?;

-- name: delete_events
DELETE FROM durable_event WHERE instance_id = ?;

-- name: data_version
-- Differs when another connection has committed something.
PRAGMA data_version;
