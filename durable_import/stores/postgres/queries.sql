-- Locks are taken in one order: an instance before its state; of several instances, by their keys, or what is locked is skipped.
-- Who changes the owner of an instance has its row locked before, by a statement of its own: the next one sees what was committed
-- until then. What follows the first statement of a transaction checks by itself whether the claim is current.

-- name: begin_new
-- Of an instance that is not there.
WITH added AS (
    INSERT INTO SCHEMA.durable_instance (key, instance_id, function, created_at, parent, shelf)
    SELECT %(key)b::bytea, %(instance_id)s, %(function)s, extract(epoch FROM clock_timestamp()), %(parent)s::text, 0
    WHERE EXISTS (SELECT FROM SCHEMA.durable_owner WHERE id = %(owner)s AND NOT is_dead)
    ON CONFLICT (key) DO NOTHING RETURNING key
), stated AS (
    INSERT INTO SCHEMA.durable_state (key, owner, epoch, status, checkpoint, location, wake_at, updated_at, snapshot)
    SELECT
        key, %(owner)s, %(epoch)s, %(status)s, %(checkpoint)s, %(location)s, %(wake_at)s::float8,
        extract(epoch FROM clock_timestamp()), %(snapshot)b::bytea
    FROM added
), called AS (
    INSERT INTO SCHEMA.durable_call (key, call) SELECT key, %(call)b::bytea FROM added
), tagged AS (
    INSERT INTO SCHEMA.durable_tag (name, value, key)
    SELECT name, value, key FROM added, unnest(%(names)s::text[], %(values)s::text[]) AS tag (name, value)
)
SELECT EXISTS (SELECT FROM SCHEMA.durable_event WHERE key = %(key)b) FROM added

-- name: lock
SELECT FROM SCHEMA.durable_instance WHERE key = %(key)b FOR NO KEY UPDATE

-- name: take
-- If nobody has it, or this owner, or one that is dead; the owner itself must not be, nor the instance be stuck, nor have ended
-- with the death of more processes in a row. What is counted has a largest number: somebody may have put any there.
WITH taken AS (
    UPDATE SCHEMA.durable_state SET
        attempts = least(attempts, 1 << 30) + CASE WHEN owner <> %(owner)s AND status IN ('pending', 'running') THEN 1 ELSE 0 END,
        error = CASE WHEN owner <> %(owner)s AND status IN ('pending', 'running') THEN NULL ELSE error END,
        lives = least(lives, 1 << 30) + 1, hold = NULL, owner = %(owner)s, epoch = %(epoch)s
    WHERE key = %(key)b AND epoch <> %(epoch)s
        AND (owner IS NULL OR owner = %(owner)s
            OR NOT EXISTS (SELECT FROM SCHEMA.durable_owner WHERE id = durable_state.owner AND NOT is_dead))
        AND EXISTS (SELECT FROM SCHEMA.durable_owner WHERE id = %(owner)s AND NOT is_dead)
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = %(key)b AND shelf = 6)
        AND %(most)s >= CASE
            WHEN owner <> %(owner)s AND status IN ('pending', 'running') THEN least(attempts, 1 << 30) + 1
            WHEN error IS NULL THEN attempts
            ELSE 0
        END
    RETURNING key
)
UPDATE SCHEMA.durable_instance SET shelf = 0 FROM taken WHERE durable_instance.key = taken.key AND shelf <> 0

-- name: load_begun
SELECT
    status, checkpoint, location, function, wake_at, snapshot, outcome, call, owner, epoch, attempts, lives, error,
    EXISTS (SELECT FROM SCHEMA.durable_segment WHERE key = %(key)b), who, since, until,
    extract(epoch FROM clock_timestamp())::float8, shelf,
    EXISTS (SELECT FROM SCHEMA.durable_owner WHERE id = %(owner)s AND NOT is_dead), is_dead IS NOT FALSE
FROM SCHEMA.durable_instance JOIN SCHEMA.durable_state USING (key) LEFT JOIN SCHEMA.durable_call USING (key)
LEFT JOIN SCHEMA.durable_outcome USING (key) LEFT JOIN SCHEMA.durable_owner ON id = owner
WHERE key = %(key)b

-- name: is_alive
SELECT FROM SCHEMA.durable_owner WHERE id = %(owner)s AND NOT is_dead

-- name: put_call
INSERT INTO SCHEMA.durable_call (key, call) SELECT key, %(call)b::bytea FROM SCHEMA.durable_state
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL
ON CONFLICT (key) DO UPDATE SET call = excluded.call

-- name: commit
-- The claim is checked by the statement that writes, and that the state is still there which it goes on from: no row, no commit.
-- What comes with it looks for what it has written.
UPDATE SCHEMA.durable_state SET
    status = %(status)s, checkpoint = %(checkpoint)s, location = %(location)s, wake_at = %(wake_at)s,
    updated_at = extract(epoch FROM clock_timestamp()), snapshot = %(snapshot)b, attempts = %(attempts)s,
    error = NULL, hold = NULL, lives = 0
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint >= %(before)s

-- name: name_instance
UPDATE SCHEMA.durable_instance SET function = %(function)s
WHERE key = %(key)b AND function <> %(function)s
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL
        AND checkpoint = %(checkpoint)s)

-- name: put_outcome
INSERT INTO SCHEMA.durable_outcome (key, outcome) SELECT key, %(outcome)b::bytea FROM SCHEMA.durable_state
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint = %(checkpoint)s
ON CONFLICT (key) DO UPDATE SET outcome = excluded.outcome

-- name: remove_outcome
DELETE FROM SCHEMA.durable_outcome WHERE key IN (
    SELECT key FROM SCHEMA.durable_state
    WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint = %(checkpoint)s
)

-- name: remove_segments
DELETE FROM SCHEMA.durable_segment WHERE key IN (
    SELECT key FROM SCHEMA.durable_state
    WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint = %(checkpoint)s
)

-- name: put_segment
INSERT INTO SCHEMA.durable_segment (key, name, data) SELECT key, %(name)s, %(data)b::bytea FROM SCHEMA.durable_state
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint = %(checkpoint)s
ON CONFLICT (key, name) DO UPDATE SET data = excluded.data

-- name: remove_segment
DELETE FROM SCHEMA.durable_segment WHERE name = %(name)s AND key IN (
    SELECT key FROM SCHEMA.durable_state
    WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint = %(checkpoint)s
)

-- name: end
-- Once more with the same state is no harm.
WITH ended AS (
    UPDATE SCHEMA.durable_state SET
        status = %(status)s, checkpoint = %(checkpoint)s, location = %(location)s, wake_at = NULL,
        updated_at = extract(epoch FROM clock_timestamp()), owner = NULL, attempts = 0, error = NULL,
        snapshot = CASE WHEN %(keeps)s THEN snapshot ELSE %(snapshot)b END
    WHERE key = %(key)b AND epoch = %(epoch)s AND checkpoint >= %(before)s
        AND (owner IS NOT NULL OR (status = %(status)s AND checkpoint = %(checkpoint)s))
    RETURNING key
), shelved AS (
    UPDATE SCHEMA.durable_instance SET
        function = %(function)s, shelf = %(shelf)s, due = extract(epoch FROM clock_timestamp()),
        ended_at = extract(epoch FROM clock_timestamp())
    FROM ended WHERE durable_instance.key = ended.key
), resulted AS (
    INSERT INTO SCHEMA.durable_outcome (key, outcome) SELECT key, %(outcome)b::bytea FROM ended WHERE %(has_outcome)s
    ON CONFLICT (key) DO UPDATE SET outcome = excluded.outcome
), read AS (
    DELETE FROM SCHEMA.durable_event WHERE NOT %(keeps)s AND key IN (SELECT key FROM ended)
), removed AS (
    DELETE FROM SCHEMA.durable_segment WHERE NOT %(keeps)s AND key IN (SELECT key FROM ended)
), named AS (
    DELETE FROM SCHEMA.durable_key WHERE NOT %(keeps)s AND key IN (SELECT key FROM ended)
)
SELECT FROM ended

-- name: keep_history
-- A part of a statement that overwrites a state with one of another checkpoint.
INSERT INTO SCHEMA.durable_history (key, checkpoint, status, location, wake_at, outcome, snapshot, kept_at)
SELECT
    key, checkpoint, status, location, wake_at, coalesce(outcome, ''::bytea), snapshot,
    extract(epoch FROM clock_timestamp())
FROM SCHEMA.durable_state LEFT JOIN SCHEMA.durable_outcome USING (key)
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint >= %(before)s AND checkpoint <> %(checkpoint)s
    AND status <> ''
ON CONFLICT (key, checkpoint) DO UPDATE SET
    status = excluded.status, location = excluded.location, wake_at = excluded.wake_at, outcome = excluded.outcome,
    snapshot = excluded.snapshot, kept_at = excluded.kept_at

-- name: keep_ended_segments
-- Likewise, of one that removes its segments.
INSERT INTO SCHEMA.durable_past_segment (key, name, until, data)
SELECT key, name, checkpoint, data FROM SCHEMA.durable_segment JOIN SCHEMA.durable_state USING (key)
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint >= %(before)s AND checkpoint <> %(checkpoint)s
    AND NOT %(keeps)s
ON CONFLICT (key, name, until) DO NOTHING

-- name: keep_segments
-- After ``commit``: those that are about to change, which past states have had until the last one that there is.
INSERT INTO SCHEMA.durable_past_segment (key, name, until, data)
SELECT key, name, until, data
FROM SCHEMA.durable_segment, (SELECT max(checkpoint) AS until FROM SCHEMA.durable_history WHERE key = %(key)b) AS past
WHERE key = %(key)b AND until IS NOT NULL AND (%(is_whole)s OR name = ANY(%(changed)s::text[]))
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND checkpoint = %(checkpoint)s)
ON CONFLICT (key, name, until) DO NOTHING

-- name: keep_new_segments
-- Likewise: those that no past state has had.
INSERT INTO SCHEMA.durable_past_segment (key, name, until, data)
SELECT %(key)b, added, until, NULL
FROM unnest(%(changed)s::text[]) AS added,
    (SELECT max(checkpoint) AS until FROM SCHEMA.durable_history WHERE key = %(key)b) AS past
WHERE until IS NOT NULL AND NOT EXISTS (SELECT FROM SCHEMA.durable_segment WHERE key = %(key)b AND name = added)
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND checkpoint = %(checkpoint)s)
ON CONFLICT (key, name, until) DO NOTHING

-- name: clear_history
DELETE FROM SCHEMA.durable_history
WHERE key = %(key)b
    AND (checkpoint < %(first)s::bigint OR kept_at < extract(epoch FROM clock_timestamp())::float8 - %(seconds)s::float8)
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND checkpoint = %(checkpoint)s)

-- name: clear_past_segments
DELETE FROM SCHEMA.durable_past_segment
WHERE key = %(key)b AND until < (SELECT min(checkpoint) FROM SCHEMA.durable_history WHERE key = %(key)b)

-- name: forget_later
-- Of an instance that goes back to an earlier checkpoint: the history goes on from there.
DELETE FROM SCHEMA.durable_history
WHERE key = %(key)b AND checkpoint >= %(checkpoint)s
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND checkpoint = %(checkpoint)s)

-- name: keep_earlier_segments
-- Likewise: those of the states that stay are what they were until the last one of these.
INSERT INTO SCHEMA.durable_past_segment (key, name, until, data)
SELECT DISTINCT ON (name) key, name, last, data
FROM SCHEMA.durable_past_segment, (SELECT max(checkpoint) AS last FROM SCHEMA.durable_history WHERE key = %(key)b) AS past
WHERE key = %(key)b AND until >= last
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND checkpoint = %(checkpoint)s)
ORDER BY name, until
ON CONFLICT (key, name, until) DO NOTHING

-- name: forget_later_segments
DELETE FROM SCHEMA.durable_past_segment
WHERE key = %(key)b AND until >= %(checkpoint)s
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND checkpoint = %(checkpoint)s)

-- name: load_history
SELECT
    durable_history.status, durable_history.checkpoint, durable_history.location, function, durable_history.wake_at,
    durable_history.snapshot, outcome, NULL
FROM SCHEMA.durable_instance JOIN SCHEMA.durable_history USING (key)
WHERE key = %(key)b
    AND (%(seconds)s::float8 IS NULL OR kept_at >= extract(epoch FROM clock_timestamp())::float8 - %(seconds)s::float8)
ORDER BY durable_history.checkpoint

-- name: load_past_segments
-- Each as it was until the first change behind a checkpoint; those that had not changed since as they are.
SELECT name, data FROM (
    SELECT DISTINCT ON (name) name, data FROM SCHEMA.durable_past_segment
    WHERE key = %(key)b AND until >= %(checkpoint)s ORDER BY name, until
) AS past WHERE data IS NOT NULL
UNION ALL
SELECT name, data FROM SCHEMA.durable_segment AS its
WHERE key = %(key)b AND NOT EXISTS (
    SELECT FROM SCHEMA.durable_past_segment WHERE key = its.key AND name = its.name AND until >= %(checkpoint)s
)

-- name: current
-- Where it stands that is owned by a claim.
SELECT checkpoint FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL

-- name: release
UPDATE SCHEMA.durable_state SET
    owner = NULL, lives = greatest(lives - %(unlived)s, 0), attempts = coalesce(%(attempts)s::integer, attempts),
    error = coalesce(%(error)s::text, error)
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL

-- name: set_aside
-- What could not go on: stuck, or to be tried again after some seconds.
UPDATE SCHEMA.durable_instance SET
    shelf = CASE WHEN %(is_stuck)s THEN 6 ELSE 8 END,
    due = CASE WHEN NOT %(is_stuck)s THEN extract(epoch FROM clock_timestamp()) + %(pause)s END
FROM SCHEMA.durable_state
WHERE durable_instance.key = %(key)b AND durable_state.key = durable_instance.key AND owner IS NULL AND status <> '' AND shelf = 0

-- name: note_hold
UPDATE SCHEMA.durable_state SET hold = %(hold)s
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint = %(checkpoint)s

-- name: remove_tags
DELETE FROM SCHEMA.durable_tag WHERE key = %(key)b AND name = ANY(%(removed)s::text[])
    AND EXISTS (SELECT FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL)

-- name: put_tags
INSERT INTO SCHEMA.durable_tag (name, value, key)
SELECT name, value, key FROM SCHEMA.durable_state, unnest(%(names)s::text[], %(values)s::text[]) AS tag (name, value)
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL
ON CONFLICT (name, value, key) DO NOTHING

-- name: keep_key
-- The first digest stays. No row: the claim is not current.
INSERT INTO SCHEMA.durable_key (key, step_key, digest, epoch)
SELECT key, %(step_key)s, %(digest)b::bytea, epoch FROM SCHEMA.durable_state
WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL
ON CONFLICT (key, step_key) DO UPDATE SET epoch = excluded.epoch, is_refused = durable_key.digest <> excluded.digest
RETURNING digest

-- name: put_before
-- No row: the claim is not current.
INSERT INTO SCHEMA.durable_before (key, data)
SELECT key, %(data)b FROM SCHEMA.durable_state WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL
ON CONFLICT (key) DO UPDATE SET data = excluded.data

-- name: load_before
SELECT data FROM SCHEMA.durable_before WHERE key = %(key)b

-- name: forget_keys
DELETE FROM SCHEMA.durable_key WHERE epoch = %(epoch)s AND key IN (
    SELECT key FROM SCHEMA.durable_state
    WHERE key = %(key)b AND epoch = %(epoch)s AND owner IS NOT NULL AND checkpoint = %(checkpoint)s
)

-- name: retry
-- What nobody owns, and is stuck (6), has failed (4) or is to be tried again (8). One that has failed is told from those that are
-- not to be tried again by an empty error.
WITH tried AS (
    UPDATE SCHEMA.durable_instance SET shelf = 1, due = extract(epoch FROM clock_timestamp())
    FROM SCHEMA.durable_state
    WHERE durable_instance.key = %(key)b AND durable_state.key = durable_instance.key AND shelf IN (4, 6, 8)
    RETURNING durable_instance.key
), refused AS (
    DELETE FROM SCHEMA.durable_key WHERE is_refused AND key IN (SELECT key FROM tried)
)
UPDATE SCHEMA.durable_state SET attempts = 0, error = CASE WHEN status = 'failed' THEN '' END
FROM tried WHERE durable_state.key = tried.key

-- name: hasten
UPDATE SCHEMA.durable_instance SET due = extract(epoch FROM clock_timestamp()) WHERE key IN (
    SELECT key FROM SCHEMA.durable_instance WHERE shelf = 8 AND due > extract(epoch FROM statement_timestamp())::float8
    FOR NO KEY UPDATE SKIP LOCKED
)

-- name: forget_unborn
-- What nobody owns and has no state yet.
WITH gone AS (
    DELETE FROM SCHEMA.durable_state WHERE key = ANY(%(keys)s::bytea[]) AND owner IS NULL AND status = '' RETURNING key
), called AS (
    DELETE FROM SCHEMA.durable_call WHERE key IN (SELECT key FROM gone)
), tagged AS (
    DELETE FROM SCHEMA.durable_tag WHERE key IN (SELECT key FROM gone)
)
DELETE FROM SCHEMA.durable_instance WHERE key IN (SELECT key FROM gone)

-- name: shelve
-- What nobody owns is put where it is looked for; one that has failed and is to be tried again (it has an error) is ready.
UPDATE SCHEMA.durable_instance SET
    shelf = CASE
        WHEN status IN ('waiting', 'sleeping') THEN 2 WHEN status = 'completed' THEN 3
        WHEN status = 'failed' AND error IS NULL THEN 4 WHEN status = 'failed' THEN 1 WHEN status = 'cancelled' THEN 5 ELSE 7
    END,
    due = CASE WHEN status IN ('waiting', 'sleeping') THEN wake_at ELSE updated_at END,
    ended_at = CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN coalesce(ended_at, updated_at) END
FROM SCHEMA.durable_state
WHERE durable_instance.key = ANY(%(keys)s::bytea[]) AND durable_state.key = durable_instance.key AND owner IS NULL AND shelf = 0

-- name: wake
-- After ``shelve``, by a statement of its own: it sees what was published until then.
UPDATE SCHEMA.durable_instance SET shelf = 1, due = (
    SELECT min(published_at) FROM SCHEMA.durable_event WHERE durable_event.key = durable_instance.key
)
WHERE key = ANY(%(keys)s::bytea[]) AND shelf = 2
    AND EXISTS (SELECT FROM SCHEMA.durable_event WHERE durable_event.key = durable_instance.key)

-- name: delete
WITH gone AS (
    DELETE FROM SCHEMA.durable_instance WHERE key = ANY(%(keys)s::bytea[])
), stated AS (
    DELETE FROM SCHEMA.durable_state WHERE key = ANY(%(keys)s::bytea[])
), called AS (
    DELETE FROM SCHEMA.durable_call WHERE key = ANY(%(keys)s::bytea[])
), resulted AS (
    DELETE FROM SCHEMA.durable_outcome WHERE key = ANY(%(keys)s::bytea[])
), removed AS (
    DELETE FROM SCHEMA.durable_segment WHERE key = ANY(%(keys)s::bytea[])
), read AS (
    DELETE FROM SCHEMA.durable_event WHERE key = ANY(%(keys)s::bytea[])
), named AS (
    DELETE FROM SCHEMA.durable_key WHERE key = ANY(%(keys)s::bytea[])
), been AS (
    DELETE FROM SCHEMA.durable_before WHERE key = ANY(%(keys)s::bytea[])
), past AS (
    DELETE FROM SCHEMA.durable_history WHERE key = ANY(%(keys)s::bytea[])
), past_segment AS (
    DELETE FROM SCHEMA.durable_past_segment WHERE key = ANY(%(keys)s::bytea[])
)
DELETE FROM SCHEMA.durable_tag WHERE key = ANY(%(keys)s::bytea[])

-- name: put_owner
INSERT INTO SCHEMA.durable_owner (id, who, since, until, lease, beat)
SELECT %(owner)s, %(who)s, now, now + %(lease)s, %(lease)s, 0
FROM (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) AS clock
ON CONFLICT (id) DO UPDATE SET until = excluded.until, lease = excluded.lease WHERE NOT durable_owner.is_dead

-- name: renew
UPDATE SCHEMA.durable_owner
SET beat = %(new)s, lease = %(lease)s, until = extract(epoch FROM clock_timestamp())::float8 + %(lease)s
WHERE id = %(owner)s AND beat = %(old)s AND NOT is_dead

-- name: owners
SELECT id, who, beat, lease, until - extract(epoch FROM clock_timestamp())::float8, is_dead, since FROM SCHEMA.durable_owner

-- name: missing_owners
-- Whose row somebody has removed: found by as many steps as there are owners.
WITH RECURSIVE each_owner (id) AS (
    SELECT min(owner) FROM SCHEMA.durable_state WHERE owner IS NOT NULL
    UNION ALL
    SELECT (SELECT min(owner) FROM SCHEMA.durable_state WHERE owner > each_owner.id) FROM each_owner WHERE each_owner.id IS NOT NULL
)
SELECT id FROM each_owner WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM SCHEMA.durable_owner WHERE durable_owner.id = each_owner.id)

-- name: is_known
SELECT FROM SCHEMA.durable_owner WHERE id = %(owner)s

-- name: declare_dead
UPDATE SCHEMA.durable_owner SET is_dead = true WHERE id = %(owner)s AND beat = %(beat)s

-- name: retire
UPDATE SCHEMA.durable_owner SET is_dead = true WHERE id = %(owner)s

-- name: owned
-- What others have locked is looked at the next time.
SELECT durable_state.key FROM SCHEMA.durable_state JOIN SCHEMA.durable_instance USING (key) WHERE owner = %(owner)s LIMIT %(limit)s
FOR NO KEY UPDATE SKIP LOCKED

-- name: bury
-- Who waited or slept is not to blame for the death of its process. Without another epoch a zombie would commit.
UPDATE SCHEMA.durable_state
SET
    owner = NULL, epoch = 0,
    attempts = least(attempts, 1 << 30) + CASE WHEN status IN ('pending', 'running') THEN 1 ELSE 0 END,
    error = CASE WHEN status IN ('pending', 'running') THEN NULL ELSE error END
WHERE key = ANY(%(keys)s::bytea[])

-- name: let_go
UPDATE SCHEMA.durable_state SET owner = NULL, epoch = 0 WHERE key = ANY(%(keys)s::bytea[])

-- name: forget_owner
-- Asked so, it is always an index that is looked at, also where the statistics say that most have that owner.
DELETE FROM SCHEMA.durable_owner
WHERE id = %(owner)s
    AND (SELECT min(owner) FROM SCHEMA.durable_state WHERE owner >= durable_owner.id) IS DISTINCT FROM durable_owner.id

-- name: forget_idle_owners
-- Those that have left nothing; what the others have is let go of when they are found dead.
DELETE FROM SCHEMA.durable_owner
WHERE until <= extract(epoch FROM clock_timestamp()) - lease
    AND (SELECT min(owner) FROM SCHEMA.durable_state WHERE owner >= durable_owner.id) IS DISTINCT FROM durable_owner.id

-- name: load
SELECT status, checkpoint, location, function, wake_at, snapshot, outcome, call
FROM SCHEMA.durable_instance JOIN SCHEMA.durable_state USING (key) LEFT JOIN SCHEMA.durable_call USING (key)
LEFT JOIN SCHEMA.durable_outcome USING (key)
WHERE key = %(key)b AND status <> ''

-- name: load_segments
SELECT name, data FROM SCHEMA.durable_segment WHERE key = %(key)b

-- name: load_some_segments
SELECT name, data FROM SCHEMA.durable_segment WHERE key = %(key)b AND name = ANY(%(names)s::text[])

-- name: summary
SELECT
    instance_id, CASE WHEN shelf = 6 THEN 'stuck' ELSE status END, checkpoint, location, function, wake_at, updated_at, owner, who,
    until, created_at, durable_instance.key, parent, attempts, error, CASE WHEN owner IS NOT NULL THEN hold END,
    ARRAY(SELECT name FROM SCHEMA.durable_tag WHERE durable_tag.key = durable_instance.key ORDER BY name, value),
    ARRAY(SELECT value FROM SCHEMA.durable_tag WHERE durable_tag.key = durable_instance.key ORDER BY name, value)
FROM SCHEMA.durable_instance JOIN SCHEMA.durable_state USING (key) LEFT JOIN SCHEMA.durable_owner ON id = owner
WHERE status <> ''

-- name: candidates
-- What has something to do, the longest waiting first, on each shelf: since when, and how many lives of it have killed in a row.
SELECT shelf, key, due, CASE WHEN error IS NULL THEN attempts ELSE 0 END
FROM (
    (SELECT shelf, key, due, 0 AS priority FROM SCHEMA.durable_instance
        WHERE shelf = 2 AND due IS NOT NULL AND due <= extract(epoch FROM statement_timestamp())::float8
            AND queue = ANY(%(queues)s::text[])
        ORDER BY due LIMIT %(limit)s)
    UNION ALL
    (SELECT shelf, key, due, 0 FROM SCHEMA.durable_instance
        WHERE shelf = 8 AND due <= extract(epoch FROM statement_timestamp())::float8 AND queue = ANY(%(queues)s::text[])
        ORDER BY due LIMIT %(limit)s)
    UNION ALL -- no pause between two attempts is so long: the clock was set back
    (SELECT shelf, key, due, 0 FROM SCHEMA.durable_instance
        WHERE shelf = 8 AND due > extract(epoch FROM statement_timestamp())::float8 + %(longest)s
            AND queue = ANY(%(queues)s::text[])
        ORDER BY due LIMIT %(limit)s)
    UNION ALL
    (SELECT shelf, key, due, priority FROM unnest(%(queues)s::text[]) AS asked (name) CROSS JOIN LATERAL (
        SELECT shelf, key, due, priority FROM SCHEMA.durable_instance
        WHERE shelf = 1 AND queue = asked.name ORDER BY priority DESC, due LIMIT %(limit)s
    ) AS ready)
    UNION ALL
    (SELECT shelf, key, due, 0 FROM SCHEMA.durable_instance
        WHERE shelf = 7 AND %(orphans)s AND queue = ANY(%(queues)s::text[]) ORDER BY due LIMIT %(limit)s)
) AS found JOIN SCHEMA.durable_state USING (key)
ORDER BY shelf, priority DESC, due

-- name: claim
WITH locked AS (
    SELECT key FROM SCHEMA.durable_instance WHERE key = ANY(%(keys)s::bytea[]) AND shelf IN (1, 2, 7, 8) FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE SCHEMA.durable_state SET owner = %(owner)s, epoch = %(epoch)s, lives = least(lives, 1 << 30) + 1, hold = NULL
    FROM locked
    WHERE durable_state.key = locked.key AND owner IS NULL
        AND EXISTS (SELECT FROM SCHEMA.durable_owner WHERE id = %(owner)s AND NOT is_dead)
    RETURNING durable_state.key
)
UPDATE SCHEMA.durable_instance SET shelf = 0 FROM taken WHERE durable_instance.key = taken.key

-- name: load_claimed
SELECT
    status, checkpoint, location, function, wake_at, snapshot, outcome, call, instance_id, attempts, lives, error,
    EXISTS (SELECT FROM SCHEMA.durable_segment WHERE durable_segment.key = durable_state.key), key
FROM SCHEMA.durable_state JOIN SCHEMA.durable_instance USING (key) LEFT JOIN SCHEMA.durable_call USING (key)
LEFT JOIN SCHEMA.durable_outcome USING (key)
WHERE key = ANY(%(keys)s::bytea[]) AND owner = %(owner)s AND epoch = %(epoch)s

-- name: set_aside_damaged
UPDATE SCHEMA.durable_instance SET shelf = 6, due = NULL WHERE key = ANY(%(keys)s::bytea[])

-- name: give_up
UPDATE SCHEMA.durable_state SET owner = NULL, epoch = 0, attempts = least(attempts, 1 << 30) + 1, error = %(error)s
WHERE key = ANY(%(keys)s::bytea[])

-- name: claimed
SELECT key FROM SCHEMA.durable_state WHERE owner = %(owner)s AND epoch = %(epoch)s

-- name: owned_by
SELECT instance_id, epoch FROM SCHEMA.durable_state JOIN SCHEMA.durable_instance USING (key) WHERE owner = %(owner)s

-- name: events_of
SELECT key, number, name, payload FROM SCHEMA.durable_event WHERE key = ANY(%(keys)s::bytea[]) ORDER BY number

-- name: find_finished
SELECT key FROM SCHEMA.durable_instance
WHERE ended_at IS NOT NULL AND ended_at <= extract(epoch FROM statement_timestamp())::float8 - %(seconds)s AND shelf IN (3, 4, 5)
ORDER BY ended_at LIMIT %(limit)s

-- name: remove_finished
DELETE FROM SCHEMA.durable_instance WHERE key IN (
    SELECT key FROM SCHEMA.durable_instance
    WHERE key = ANY(%(keys)s::bytea[]) AND shelf IN (3, 4, 5)
        AND ended_at <= extract(epoch FROM statement_timestamp())::float8 - %(seconds)s
    FOR UPDATE SKIP LOCKED
)

-- name: remove_rests
WITH state AS (
    DELETE FROM SCHEMA.durable_state AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), call AS (
    DELETE FROM SCHEMA.durable_call AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), outcome AS (
    DELETE FROM SCHEMA.durable_outcome AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), segment AS (
    DELETE FROM SCHEMA.durable_segment AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), event AS (
    DELETE FROM SCHEMA.durable_event AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), named AS (
    DELETE FROM SCHEMA.durable_key AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), been AS (
    DELETE FROM SCHEMA.durable_before AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), past AS (
    DELETE FROM SCHEMA.durable_history AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
), past_segment AS (
    DELETE FROM SCHEMA.durable_past_segment AS its WHERE key = ANY(%(keys)s::bytea[])
        AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)
)
DELETE FROM SCHEMA.durable_tag AS its WHERE key = ANY(%(keys)s::bytea[])
    AND NOT EXISTS (SELECT FROM SCHEMA.durable_instance WHERE key = its.key)

-- name: save_source
INSERT INTO SCHEMA.durable_source (key, text) VALUES (%(key)b, %(text)s)
ON CONFLICT (key) DO UPDATE SET saved_at = excluded.saved_at

-- name: load_source
SELECT text FROM SCHEMA.durable_source WHERE key = %(key)b

-- name: room
-- What the statistics say of the tables: rows that are there, rows that were, bytes.
SELECT coalesce(sum(n_live_tup), 0)::bigint, coalesce(sum(n_dead_tup), 0)::bigint,
    coalesce(sum(pg_total_relation_size(relid)), 0)::bigint
FROM pg_stat_user_tables WHERE schemaname = %(schema)s

-- name: has_old_sources
SELECT EXISTS (SELECT FROM SCHEMA.durable_source WHERE saved_at < %(before)s)

-- name: need_sources
UPDATE SCHEMA.durable_source SET saved_at = extract(epoch FROM clock_timestamp())::float8
WHERE key = ANY(%(keys)s::bytea[]) RETURNING key

-- name: needed_sources
UPDATE SCHEMA.durable_source SET saved_at = extract(epoch FROM clock_timestamp())::float8
WHERE saved_at < %(before)s AND key = ANY(%(keys)s::bytea[])

-- name: remove_sources
DELETE FROM SCHEMA.durable_source WHERE saved_at < %(before)s AND key <> ALL(%(keys)s::bytea[])

-- name: page_of_states
SELECT key FROM SCHEMA.durable_state WHERE key > %(after)b ORDER BY key LIMIT %(limit)s

-- name: blobs
SELECT snapshot FROM SCHEMA.durable_state WHERE key = ANY(%(keys)s::bytea[])
UNION ALL SELECT data FROM SCHEMA.durable_segment WHERE key = ANY(%(keys)s::bytea[])
UNION ALL SELECT call FROM SCHEMA.durable_call WHERE key = ANY(%(keys)s::bytea[])
UNION ALL SELECT data FROM SCHEMA.durable_before WHERE key = ANY(%(keys)s::bytea[])
UNION ALL SELECT snapshot FROM SCHEMA.durable_history WHERE key = ANY(%(keys)s::bytea[])
UNION ALL SELECT data FROM SCHEMA.durable_past_segment WHERE key = ANY(%(keys)s::bytea[]) AND data IS NOT NULL

-- name: publish
INSERT INTO SCHEMA.durable_event (key, instance_id, name, published_at, payload)
VALUES (%(key)b, %(instance_id)s, %(name)s, extract(epoch FROM clock_timestamp()), %(payload)b)
RETURNING number

-- name: publish_once
WITH noted AS (
    INSERT INTO SCHEMA.durable_event_id (id, published_at) VALUES (%(event_id)s, extract(epoch FROM clock_timestamp()))
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO SCHEMA.durable_event (key, instance_id, name, published_at, payload)
SELECT %(key)b::bytea, %(instance_id)s, %(name)s, extract(epoch FROM clock_timestamp()), %(payload)b::bytea FROM noted
RETURNING number

-- name: is_ready
-- After ``publish`` and ``lock``: an instance that was about to rest does so before, or sees the event. What could not go on (8)
-- is not tried sooner because of an event.
UPDATE SCHEMA.durable_instance SET shelf = 1, due = extract(epoch FROM clock_timestamp()) WHERE key = %(key)b AND shelf = 2

-- name: owner_of
-- After ``lock``: who owns it from then on sees the event.
SELECT owner FROM SCHEMA.durable_state WHERE key = %(key)b

-- name: find_event_id
SELECT FROM SCHEMA.durable_event_id WHERE id = %(event_id)s

-- name: forget_event_ids
-- ``clock_timestamp`` could not be looked for in an index.
DELETE FROM SCHEMA.durable_event_id WHERE published_at <= extract(epoch FROM statement_timestamp())::float8 - %(seconds)s

-- name: forget_answers
-- Events are numbered as they come: only those before the first one that is young enough are looked at.
DELETE FROM SCHEMA.durable_event WHERE number = ANY(ARRAY(
    SELECT number FROM SCHEMA.durable_event
    WHERE starts_with(instance_id, %(prefix)s)
        AND published_at <= extract(epoch FROM statement_timestamp())::float8 - %(seconds)s
        AND number < coalesce((
            SELECT number FROM SCHEMA.durable_event
            WHERE published_at > extract(epoch FROM statement_timestamp())::float8 - %(seconds)s ORDER BY number LIMIT 1
        ), 9223372036854775807)
    ORDER BY number
))

-- name: load_events
SELECT number, name, payload FROM SCHEMA.durable_event WHERE key = %(key)b ORDER BY number

-- name: pending
-- An owner may have very many instances; the events that it has not seen are few.
SELECT instance_id, max(number) FROM SCHEMA.durable_event
WHERE number > %(since)s AND (SELECT owner FROM SCHEMA.durable_state WHERE durable_state.key = durable_event.key) = %(owner)s
GROUP BY instance_id

-- name: remove_events
DELETE FROM SCHEMA.durable_event WHERE key = %(key)b AND number = ANY(%(numbers)s::bigint[])
