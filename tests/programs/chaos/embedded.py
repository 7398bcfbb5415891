"""A plain script that runs a program by a runtime of its own: the module's primitives are shared, and made by each process."""
import asyncio
import sys

import durable_import

durable_import.install()

import gates
from durable_import.api.runtime import DurableRuntime


async def main():
    async with DurableRuntime(sys.argv[1]) as runtime:
        print("instance", flush=True)
        print(await runtime.run(gates.main, instance_id="gates"))


asyncio.run(main())
