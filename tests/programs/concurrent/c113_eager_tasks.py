# durable: on
# requires: 3.12
"""Eager tasks take their first step where they are made: in a program, in callbacks, in one another; then they are saved."""
import asyncio
from contextvars import ContextVar

from world import effect, fail

depth = ContextVar("depth", default=0)


async def at_once(log, name):
    log.append(f"{name} runs at {depth.get()}")
    return name


async def nested(log, level):
    depth.set(level)
    log.append(f"enter {level}")
    if level:
        task = asyncio.create_task(nested(log, level - 1), name=f"level {level - 1}")
        log.append(f"back in {level}: {task.done()}, {depth.get()}")
        await task
    else:
        await asyncio.sleep(0)
    log.append(f"leave {level}")
    return level


async def working(number):
    return await effect(f"work {number}", number * number)


async def failing(log):
    try:
        await fail("break", ValueError("broken"))
    except ValueError as error:
        log.append(str(error))
        raise


async def waiting(future):
    try:
        return await future
    except asyncio.CancelledError as error:
        return f"cancelled: {error.args}"


async def main():
    log = []
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    log.append(loop.get_task_factory() is asyncio.eager_task_factory)
    done = asyncio.create_task(at_once(log, "first"), name="t1")
    log.append((done.done(), await done, done in asyncio.all_tasks()))
    await asyncio.create_task(nested(log, 3), name="level 3")
    squares = await asyncio.gather(*(working(n) for n in range(3)))
    failed = asyncio.create_task(failing(log))
    kept = asyncio.create_task(waiting(loop.create_future()))
    log.append((failed.done(), kept.done(), kept in asyncio.all_tasks()))
    results = await asyncio.gather(failed, effect("meanwhile"), return_exceptions=True)
    kept.cancel("enough")
    log.append((await kept, kept.cancelling(), str(results[0])))
    called = loop.create_future()
    loop.call_soon(lambda: called.set_result(asyncio.create_task(at_once(log, "from a callback"), name="t2").done()))
    log.append(await called)
    async with asyncio.TaskGroup() as group:
        members = [group.create_task(at_once(log, "member"), name="m"), group.create_task(working(7))]
        log.append([member.done() for member in members])
    log.append([member.result() for member in members])
    loop.set_task_factory(None)
    lazy = asyncio.create_task(at_once(log, "lazy"), name="t3")
    log.append(lazy.done())
    await lazy
    return log, squares


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
