# durable: on
"""A durable function that waits for an answer of a database, by the pool of the application."""

POOLS = []


async def answer():
    return sum(await values())


async def values():
    return await POOLS[-1].fetchval("SELECT array_agg(value) FROM answers, pg_sleep(delay)")
