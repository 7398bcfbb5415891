-- name: load
SELECT status, checkpoint, location, function, snapshot FROM instance WHERE instance_id = :instance_id;

-- name: commit
-- The owner's epoch is checked by the statement that writes: no row, no commit.
INSERT INTO instance (instance_id, status, checkpoint, location, function, updated_at, snapshot)
SELECT instance_id, :status, :checkpoint, :location, :function, :now, :snapshot
FROM claim WHERE instance_id = :instance_id AND epoch = :epoch
ON CONFLICT (instance_id) DO UPDATE SET
    status = excluded.status, checkpoint = excluded.checkpoint, location = excluded.location,
    function = excluded.function, updated_at = excluded.updated_at, snapshot = excluded.snapshot;

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
SELECT instance_id, status, checkpoint, location, function, updated_at, claim.owner, claim.until
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
