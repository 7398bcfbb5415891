# durable: on
"""Connections are leased from a pool guarded by a bounded semaphore; a release too many is an error."""
import asyncio
from contextlib import asynccontextmanager

from world import effect, fail


class Broken(Exception):
    pass


class ConnectionPool:
    def __init__(self, size):
        self.slots = asyncio.BoundedSemaphore(size)
        self.free = [f"conn-{n}" for n in range(size)]
        self.leased = {}
        self.peak = 0

    @asynccontextmanager
    async def lease(self, who):
        async with self.slots:
            conn = self.free.pop()
            self.leased[who] = conn
            self.peak = max(self.peak, len(self.leased))
            try:
                yield conn
            finally:
                del self.leased[who]
                self.free.append(conn)


async def query(pool, who, statement):
    async with pool.lease(who) as conn:
        assert pool.leased[who] is conn
        if statement == "bad":
            await fail(f"{who} breaks", Broken(who))
        return await effect(f"{who} runs {statement}", len(statement))


async def batch(pool, who, statements):
    answers = []
    for statement in statements:
        try:
            answers.append(await query(pool, who, statement))
        except Broken as error:
            answers.append(repr(error))
    return answers


async def main():
    pool = ConnectionPool(2)
    work = {"ann": ["select 1", "bad"], "bob": ["select 22"], "cid": ["bad", "insert"], "dot": ["commit"]}
    answers = await asyncio.gather(*(batch(pool, who, statements) for who, statements in work.items()))
    state = sorted(pool.free), pool.leased, pool.slots.locked(), pool.peak <= 2
    try:
        pool.slots.release()
    except ValueError:
        too_many = "refused"

    # one that waits for a lease is cancelled: no slot is lost
    async with pool.lease("x"), pool.lease("y"):
        waiting = asyncio.create_task(query(pool, "z", "never"))
        await asyncio.sleep(0)
        locked = pool.slots.locked()
        waiting.cancel()
        await asyncio.wait([waiting])
    both = await asyncio.gather(query(pool, "p", "again"), query(pool, "q", "and again"))
    return answers, state, too_many, locked, both, waiting.cancelled(), sorted(pool.free)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
