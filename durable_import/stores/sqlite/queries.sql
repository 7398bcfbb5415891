-- name: load
SELECT status, checkpoint, location, function, wake_at, call, snapshot, outcome FROM instance
WHERE instance_id = :instance_id;

-- name: is_known
SELECT status FROM instance WHERE instance_id = :instance_id;

-- name: commit
-- The owner's epoch is checked by the statement that writes: no row, no commit.
INSERT INTO instance (
    instance_id, status, checkpoint, location, function, wake_at, updated_at, call, snapshot, outcome
)
SELECT
    instance_id, :status, :checkpoint, :location, :function, :wake_at, :now, :call, :snapshot, :outcome
FROM claim WHERE instance_id = :instance_id AND epoch = :epoch
ON CONFLICT (instance_id) DO UPDATE SET
    status = excluded.status, checkpoint = excluded.checkpoint, location = excluded.location,
    function = excluded.function, wake_at = excluded.wake_at, updated_at = excluded.updated_at,
    call = excluded.call, snapshot = excluded.snapshot, outcome = excluded.outcome;

-- name: commit_again
-- One more checkpoint, when nothing else of the row has changed and no segments are to be removed: it touches no index.
UPDATE instance SET checkpoint = :checkpoint, location = :location, updated_at = :now, snapshot = :snapshot
WHERE instance_id = :instance_id
AND status = :status AND wake_at IS :wake_at AND function = :function AND call = :call AND outcome = :outcome
AND EXISTS (SELECT * FROM claim WHERE claim.instance_id = :instance_id AND epoch = :epoch)
AND (:are_segments_kept OR NOT EXISTS (SELECT * FROM segment WHERE segment.instance_id = :instance_id));

-- name: keep_history
-- Of one connection: what a commit with another checkpoint number overwrites is kept.
CREATE TEMP TRIGGER keep_history BEFORE UPDATE ON main.instance WHEN old.checkpoint IS NOT new.checkpoint
BEGIN
    INSERT OR REPLACE INTO history (
        instance_id, checkpoint, status, location, function, wake_at, call, outcome, snapshot
    ) VALUES (
        old.instance_id, old.checkpoint, old.status, old.location, old.function, old.wake_at, old.call, old.outcome,
        old.snapshot
    );
END;

-- name: load_history
SELECT status, checkpoint, location, function, wake_at, call, snapshot, outcome FROM history
WHERE instance_id = :instance_id
UNION ALL
SELECT status, checkpoint, location, function, wake_at, call, snapshot, outcome FROM instance
WHERE instance_id = :instance_id
ORDER BY checkpoint;

-- name: delete_history
DELETE FROM history WHERE instance_id = :instance_id;

-- name: find_claim
SELECT epoch, owner, since, until FROM claim WHERE instance_id = :instance_id;

-- name: next_epoch
UPDATE epoch SET last = last + 1 RETURNING last;

-- name: take_claim
INSERT INTO claim (instance_id, epoch, owner, since, until) VALUES (:instance_id, :epoch, :owner, :since, :until)
ON CONFLICT (instance_id) DO UPDATE SET
    epoch = excluded.epoch, owner = excluded.owner, since = excluded.since, until = excluded.until;

-- name: renew_claim
UPDATE claim SET until = :until WHERE instance_id = :instance_id AND epoch = :epoch;

-- name: release_claim
DELETE FROM claim WHERE instance_id = :instance_id AND epoch = :epoch;

-- name: delete_claim
DELETE FROM claim WHERE instance_id = :instance_id;

-- name: delete_instance
DELETE FROM instance WHERE instance_id = :instance_id;

-- name: list
SELECT instance_id, status, checkpoint, location, function, wake_at, updated_at, claim.owner, claim.until
FROM instance LEFT JOIN claim USING (instance_id)
ORDER BY updated_at DESC;

-- name: any_instance
SELECT EXISTS (SELECT * FROM instance);

-- name: save_source
INSERT INTO source (digest, text) VALUES (:digest, :text) ON CONFLICT (digest) DO NOTHING;

-- name: load_source
SELECT text FROM source WHERE digest = :digest;

-- name: put_segment
INSERT INTO segment (instance_id, key, data) VALUES (?, ?, ?)
ON CONFLICT (instance_id, key) DO UPDATE SET data = excluded.data;

-- name: remove_segment
DELETE FROM segment WHERE instance_id = ? AND key = ?;

-- name: remove_segments
DELETE FROM segment WHERE instance_id = :instance_id;

-- name: load_segments
-- As bytes, whatever somebody has put there: that they are not ours is found out before they are opened.
SELECT CAST(key AS BLOB), CAST(data AS BLOB) FROM segment WHERE instance_id = :instance_id;

-- name: publish_event
INSERT INTO event (instance_id, name, published_at, payload) VALUES (:instance_id, :name, :now, :payload)
RETURNING number;

-- name: note_event_id
INSERT INTO event_id (id, published_at) VALUES (:event_id, :now) ON CONFLICT (id) DO NOTHING;

-- name: find_event_id
SELECT 1 FROM event_id WHERE id = :event_id;

-- name: forget_event_ids
DELETE FROM event_id WHERE published_at <= :before;

-- name: load_events
SELECT number, name, payload FROM event WHERE instance_id = :instance_id ORDER BY number;

-- name: addressees
SELECT DISTINCT instance_id FROM event;

-- name: remove_event
DELETE FROM event WHERE instance_id = ? AND number = ?;

-- name: delete_events
DELETE FROM event WHERE instance_id = :instance_id;

-- name: announce
UPDATE change SET count = count + 1;

-- name: last_change
SELECT count FROM change;

-- name: holders
-- Who holds something; few, and each asked once whether it lives.
SELECT DISTINCT owner FROM claim WHERE until > :now;

-- name: find_work
-- Three kinds of instances with the time since when somebody could have taken them up, and of them those that nobody holds.
-- The first is found by an index in the order of that time, the second goes through the events.
SELECT instance_id FROM (
    SELECT * FROM (
        SELECT instance_id, wake_at AS since FROM instance
        WHERE status IN ('waiting', 'sleeping') AND wake_at IS NOT NULL AND wake_at <= :now AND NOT EXISTS (
            SELECT * FROM claim WHERE claim.instance_id = instance.instance_id
            AND until > :now AND owner NOT IN (SELECT value FROM json_each(:dead)))
        ORDER BY wake_at LIMIT :limit)
    UNION ALL
    SELECT * FROM (
        SELECT event.instance_id, min(published_at) AS since
        FROM event CROSS JOIN instance ON instance.instance_id = event.instance_id
        WHERE status IN ('waiting', 'sleeping') AND NOT EXISTS (
            SELECT * FROM claim WHERE claim.instance_id = event.instance_id
            AND until > :now AND owner NOT IN (SELECT value FROM json_each(:dead)))
        GROUP BY event.instance_id ORDER BY since LIMIT :limit)
    UNION ALL
    SELECT * FROM (
        SELECT instance_id, updated_at AS since FROM instance
        WHERE :orphans AND status IN ('pending', 'running') AND NOT EXISTS (
            SELECT * FROM claim WHERE claim.instance_id = instance.instance_id
            AND until > :now AND owner NOT IN (SELECT value FROM json_each(:dead)))
        ORDER BY updated_at LIMIT :limit)
) GROUP BY instance_id ORDER BY min(since) LIMIT :limit;

-- name: find_finished
SELECT instance_id FROM instance
WHERE status IN ('completed', 'failed', 'cancelled') AND updated_at <= :before AND NOT EXISTS (
    SELECT * FROM claim WHERE claim.instance_id = instance.instance_id
    AND until > :now AND owner NOT IN (SELECT value FROM json_each(:dead)));
