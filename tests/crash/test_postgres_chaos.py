"""Workers on one PostgreSQL server that stall, die and come back as zombies, while the server crashes with transactions open."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter, defaultdict
from contextlib import ExitStack

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.store_processes import full, process

pytestmark = pytest.mark.slow

INSTANCES, STEPS, WORKERS, SECONDS = 60, 800, 4, 12.0

# Its keeper is a thread: it renews, and buries those whose beats it has seen unchanged for a lease.
WORKER = """
import secrets, threading, time
from durable_import.stores.state import FINISHED
LEASE, STEPS = 0.4, int(sys.argv[2])

class Life:
    def __init__(self, number):
        self.number, self.beat, self.is_lost = number, 0, False
    def keep(self):
        seen = {}
        while not self.is_lost:
            try:
                new = secrets.randbits(40)
                if not store.renew(self.number, self.beat, new, LEASE):
                    self.is_lost = True
                    return
                self.beat, now = new, time.monotonic()
                for row in store.owners():
                    beat, since = seen.get(row.id, (None, now))
                    seen[row.id] = row.beat, since if beat == row.beat else now
                    if row.id != self.number and (row.is_dead or now - seen[row.id][1] > LEASE):
                        while store.bury(row.id, row.beat, 7):
                            pass
            except StoreError:
                seen.clear()
            time.sleep(LEASE / 6)

async def advance(life, begun):
    done = begun.state.checkpoint
    try:
        while done < STEPS and not life.is_lost:
            done += 1
            await commit(store, begun, saved(done), {"k": b"%d" % done}, False)
            await asyncio.sleep(0.002)
        if done == STEPS:
            await store.end(begun.claim, saved(STEPS + 1, "completed"), keeps=False)
            return
    except (FencedError, StoreUnavailableError):
        pass  # the next life knows
    await store.release(begun.claim)

async def live():
    life = Life(await asyncio.to_thread(register, store, LEASE))
    threading.Thread(target=life.keep, daemon=True).start()
    try:
        while not life.is_lost:
            taken = await store.claim(life.number, secrets.randbits(62) | 1, 8)
            await asyncio.gather(*(advance(life, begun) for begun in taken))
            await asyncio.sleep(0.01)
    finally:
        life.is_lost = True

async def main():
    while True:
        try:
            await live()
        except (FencedError, StoreUnavailableError):
            await asyncio.sleep(0.05)
asyncio.run(main())
"""
AUDIT = """
CREATE TABLE {0}.audit (n bigserial, key bytea, before bigint, after bigint, epoch bigint, owner bigint);
CREATE FUNCTION {0}.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO {0}.audit (key, before, after, epoch, owner)
    VALUES (new.key, old.checkpoint, new.checkpoint, old.epoch, old.owner);
    RETURN new;
END $$;
CREATE TRIGGER audit BEFORE UPDATE ON {0}.durable_state FOR EACH ROW WHEN (old.checkpoint <> new.checkpoint)
EXECUTE FUNCTION {0}.noted();
"""
SETUP = """
async def main():
    for number in range(int(sys.argv[2])):
        begun = await begin(store, f"i{number}")
        await store.release(begun.claim)
    await store.close()
asyncio.run(main())
"""


async def test_nothing_happens_twice_and_nothing_is_lost(postgres_server: PostgresServer) -> None:
    """Each checkpoint follows the one before it once, under one claim after another; in the end all instances have ended."""
    schema, moments = f"chaos{time.monotonic_ns()}", random.Random(7)
    url = postgres_server.url(schema=schema)
    with process(url, SETUP, arguments=[str(INSTANCES)]) as child:
        assert child.wait(60) == 0
    postgres_server.execute(AUDIT.format(schema))
    with ExitStack() as stack:

        def start() -> subprocess.Popen[str]:
            return stack.enter_context(process(url, WORKER, arguments=[str(STEPS)]))

        workers = [start() for _ in range(WORKERS)]
        ends_at, kills = time.monotonic() + SECONDS, Counter[str]()
        while time.monotonic() < ends_at:
            time.sleep(moments.uniform(0.1, 0.5))
            which, what = moments.randrange(WORKERS), moments.choice(("stall", "stall", "die", "server"))
            kills[what] += 1
            if what == "stall":  # for longer than its lease: it comes back as a zombie
                workers[which].send_signal(signal.SIGSTOP)
                time.sleep(moments.uniform(0.5, 1.2))
                workers[which].send_signal(signal.SIGCONT)
            elif what == "die":
                workers[which].kill()
                workers[which] = start()
            else:
                postgres_server.stop(signal.SIGQUIT)  # as if it had crashed
                postgres_server.start()
        assert all(worker.poll() is None for worker in workers), "a worker has ended by itself"
        deadline = time.monotonic() + 120
        while _unfinished(postgres_server, schema) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert _unfinished(postgres_server, schema) == 0, kills
    _check(postgres_server, schema)
    store = full(url)
    for number in range(INSTANCES):
        kept = await store.load(f"i{number}")
        assert kept is not None
        assert (kept.state.status, kept.state.checkpoint) == ("completed", STEPS + 1)
        assert await store.load_segments(f"i{number}") == {}
    await store.close()
    postgres_server.execute(f"DROP SCHEMA {schema} CASCADE")


def _unfinished(server: PostgresServer, schema: str) -> int:
    [(count,)] = server.execute(f"SELECT count(*) FROM {schema}.durable_instance WHERE shelf <> 3")
    assert isinstance(count, int)
    return count


def _check(server: PostgresServer, schema: str) -> None:
    """That each instance has gone through all checkpoints in turn, and no claim came back after another."""
    steps: defaultdict[object, list[tuple[object, ...]]] = defaultdict(list)
    for key, *step in server.execute(f"SELECT key, before, after, epoch, owner FROM {schema}.audit ORDER BY n"):
        steps[key].append(tuple(step))
    assert len(steps) == INSTANCES
    for its in steps.values():
        assert [(before, after) for before, after, *_ in its] == [(n, n + 1) for n in range(STEPS + 1)]
        epochs = [epoch for *_, epoch, _ in its]
        changes = [epoch for n, epoch in enumerate(epochs) if n == 0 or epochs[n - 1] != epoch]
        assert len(changes) == len(set(changes))
    owners = {owner for its in steps.values() for *_, owner in its}
    assert len(owners) > WORKERS
