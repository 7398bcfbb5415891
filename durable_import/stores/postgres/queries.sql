-- name: load
SELECT status, checkpoint, location, function, wake_at, call, snapshot, outcome FROM SCHEMA.instance WHERE key = %(key)s

-- name: commit
-- The owner's epoch is checked by the statement that writes: no row, no commit. Whoever takes the claim over meanwhile
-- waits for the row, or is waited for and seen.
INSERT INTO SCHEMA.instance (
    key, instance_id, status, checkpoint, location, function, wake_at, updated_at, ended_at, call, snapshot, outcome
)
SELECT
    key, %(instance_id)s, %(status)s, %(checkpoint)s, %(location)s, %(function)s, %(wake_at)s,
    extract(epoch FROM clock_timestamp()),
    CASE WHEN %(status)s IN ('completed', 'failed', 'cancelled') THEN extract(epoch FROM clock_timestamp()) END,
    %(call)s, %(snapshot)s, %(outcome)s
FROM SCHEMA.claim WHERE key = %(key)s AND epoch = %(epoch)s FOR SHARE
ON CONFLICT (key) DO UPDATE SET
    status = excluded.status, checkpoint = excluded.checkpoint, location = excluded.location,
    function = excluded.function, wake_at = excluded.wake_at, updated_at = excluded.updated_at,
    ended_at = excluded.ended_at, call = excluded.call, snapshot = excluded.snapshot, outcome = excluded.outcome

-- name: commit_whole
-- The same, and without segments.
WITH kept AS (
{commit}
RETURNING key
), gone AS (
    DELETE FROM SCHEMA.segment WHERE key IN (SELECT key FROM kept)
)
SELECT FROM kept

-- name: find_claim
SELECT epoch, owner, since, until, extract(epoch FROM clock_timestamp())::float8 FROM SCHEMA.claim WHERE key = %(key)s

-- name: take_claim
-- Only if the claim still is the one that was found (epoch NULL: none).
INSERT INTO SCHEMA.claim AS held (key, epoch, owner, since, until)
SELECT %(key)s, nextval('SCHEMA.epoch'), %(owner)s, now, now + %(lease_seconds)s
FROM (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) AS clock
ON CONFLICT (key) DO UPDATE SET
    epoch = excluded.epoch, owner = excluded.owner, since = excluded.since, until = excluded.until
WHERE held.epoch = %(found_epoch)s AND held.until = %(found_until)s
RETURNING epoch

-- name: renew_claim
UPDATE SCHEMA.claim SET until = extract(epoch FROM clock_timestamp()) + %(lease_seconds)s
WHERE key = %(key)s AND epoch = %(epoch)s

-- name: release_claim
DELETE FROM SCHEMA.claim WHERE key = %(key)s AND epoch = %(epoch)s

-- name: seize_claim
-- Before a deletion: nobody acquires the instance until that is done.
INSERT INTO SCHEMA.claim (key, epoch, owner, since, until)
VALUES (%(key)s, nextval('SCHEMA.epoch'), '', 0, 0)
ON CONFLICT (key) DO UPDATE SET epoch = excluded.epoch

-- name: seize_finished
-- As above, all that have been finished long enough and that nobody holds.
INSERT INTO SCHEMA.claim AS held (key, epoch, owner, since, until)
SELECT key, nextval('SCHEMA.epoch'), '', 0, 0 FROM SCHEMA.instance
WHERE ended_at <= extract(epoch FROM clock_timestamp()) - %(seconds)s
ORDER BY key
ON CONFLICT (key) DO UPDATE SET epoch = excluded.epoch
WHERE held.until <= extract(epoch FROM clock_timestamp()) OR held.owner = ANY(%(dead)s::text[])
RETURNING key

-- name: delete_finished
DELETE FROM SCHEMA.instance
WHERE key = ANY(%(keys)s::bytea[]) AND ended_at <= extract(epoch FROM clock_timestamp()) - %(seconds)s
RETURNING key

-- name: delete_instances
DELETE FROM SCHEMA.instance WHERE key = ANY(%(keys)s::bytea[])

-- name: delete_segments
DELETE FROM SCHEMA.segment WHERE key = ANY(%(keys)s::bytea[])

-- name: delete_events
DELETE FROM SCHEMA.event WHERE key = ANY(%(keys)s::bytea[])

-- name: delete_claims
DELETE FROM SCHEMA.claim WHERE key = ANY(%(keys)s::bytea[])

-- name: list
SELECT instance_id, status, checkpoint, location, function, wake_at, updated_at, claim.owner, claim.until
FROM SCHEMA.instance LEFT JOIN SCHEMA.claim USING (key)
ORDER BY updated_at DESC

-- name: save_source
INSERT INTO SCHEMA.source (key, text) VALUES (%(key)s, %(text)s) ON CONFLICT (key) DO NOTHING

-- name: load_source
SELECT text FROM SCHEMA.source WHERE key = %(key)s

-- name: put_segment
INSERT INTO SCHEMA.segment (key, name, data) VALUES (%(key)s, %(name)s, %(data)s)
ON CONFLICT (key, name) DO UPDATE SET data = excluded.data

-- name: remove_segment
DELETE FROM SCHEMA.segment WHERE key = %(key)s AND name = %(name)s

-- name: load_segments
SELECT name, data FROM SCHEMA.segment WHERE key = %(key)s

-- name: publish_event
INSERT INTO SCHEMA.event (key, instance_id, name, published_at, payload)
VALUES (%(key)s, %(instance_id)s, %(name)s, extract(epoch FROM clock_timestamp()), %(payload)s)
RETURNING number

-- name: note_event_id
INSERT INTO SCHEMA.event_id (id, published_at) VALUES (%(event_id)s, extract(epoch FROM clock_timestamp()))
ON CONFLICT (id) DO NOTHING RETURNING id

-- name: find_event_id
SELECT id FROM SCHEMA.event_id WHERE id = %(event_id)s

-- name: forget_event_ids
DELETE FROM SCHEMA.event_id WHERE published_at <= extract(epoch FROM clock_timestamp()) - %(seconds)s

-- name: load_events
SELECT number, name, payload FROM SCHEMA.event WHERE key = %(key)s ORDER BY number

-- name: addressees
SELECT DISTINCT instance_id FROM SCHEMA.event

-- name: remove_events
DELETE FROM SCHEMA.event WHERE key = %(key)s AND number = ANY(%(numbers)s::bigint[])

-- name: announce
UPDATE SCHEMA.change SET count = count + 1

-- name: notify
SELECT pg_notify(%(channel)s, '')

-- name: last_change
SELECT count FROM SCHEMA.change

-- name: holders
-- Who holds something; few, and each asked once whether it lives.
SELECT DISTINCT owner FROM SCHEMA.claim WHERE until > extract(epoch FROM clock_timestamp())

-- name: find_work
-- Three kinds of instances with the time since when somebody could have taken them up, and of them those that nobody holds.
WITH held AS NOT MATERIALIZED (
    SELECT key FROM SCHEMA.claim
    WHERE until > extract(epoch FROM statement_timestamp())::float8 AND owner <> ALL(%(dead)s::text[])
)
SELECT min(instance_id) FROM (
    (SELECT key, instance_id, wake_at AS since FROM SCHEMA.instance
        WHERE status IN ('waiting', 'sleeping') AND wake_at IS NOT NULL
        AND wake_at <= extract(epoch FROM statement_timestamp())::float8
        AND NOT EXISTS (SELECT FROM held WHERE held.key = instance.key)
        ORDER BY wake_at LIMIT %(limit)s)
    UNION ALL
    (SELECT key, min(instance.instance_id), min(published_at) AS since FROM SCHEMA.event JOIN SCHEMA.instance USING (key)
        WHERE status IN ('waiting', 'sleeping')
        AND NOT EXISTS (SELECT FROM held WHERE held.key = instance.key)
        GROUP BY key ORDER BY since LIMIT %(limit)s)
    UNION ALL
    (SELECT key, instance_id, updated_at AS since FROM SCHEMA.instance
        WHERE %(orphans)s AND status IN ('pending', 'running')
        AND NOT EXISTS (SELECT FROM held WHERE held.key = instance.key)
        ORDER BY updated_at LIMIT %(limit)s)
) AS found GROUP BY key ORDER BY min(since) LIMIT %(limit)s
