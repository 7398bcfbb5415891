# durable: on
"""anyio as it is: what is awaited of it is a leaf, its scopes are entered again."""
import asyncio

import anyio
import anyio.to_thread
from leaf_helper import fan_out, limited
from world import effect


async def one(number):
    await anyio.sleep(0.05)
    square = await anyio.to_thread.run_sync(pow, number, 2)
    return await effect(f"one {number}", square)


async def main():
    print(await asyncio.gather(*(one(n) for n in range(5))))
    print(await fan_out([1, 2, 3]))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(limited(n)) for n in range(4)]
    print([task.result() for task in tasks])
    path = anyio.Path("note.txt")
    await path.write_text("hello")
    print(await path.read_text())
    print((await anyio.run_process(["echo", "hi"])).stdout)
    with anyio.move_on_after(0.3) as scope:
        await effect("in the scope")
        await anyio.sleep(30)
    await effect("after the scope")
    print(scope.cancel_called)


asyncio.run(main())
