"""Run errands over a slow SQLite store, until they end or a commit kills the process.

Arguments: path of the database, synchronous, shortest and longest wait, seed, number of the fatal commit, names of instances.
"""
import asyncio
import json
import os
import random
import sys

import durable_import

durable_import.install()

from tests.harness.journal import note
from tests.harness.slow_stores import SlowSQLiteStore, Slowness
from tests.programs.order.errands import main


async def run(path, synchronous, shortest, longest, seed, fatal, *names):
    store = SlowSQLiteStore(path, synchronous, Slowness(random.Random(seed), float(shortest), float(longest), int(fatal)))
    for name in names:
        note(name, "life", os.getpid())
    async with durable_import.DurableRuntime(store, poll_interval=0.02) as runtime:
        results = await asyncio.gather(*(runtime.run(main, name, 5, instance_id=name) for name in names))
    await store.close()
    print(json.dumps(results))


asyncio.run(run(*sys.argv[1:]))
