# durable: on
"""A task that holds a task group open is cancelled from outside; so are its children."""
import asyncio

from world import effect


async def pump(name, stopped):
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        stopped.add(name)
        raise


async def plant(name, pumps, log, started):
    stopped = set()
    try:
        async with asyncio.TaskGroup() as group:
            for p in pumps:
                group.create_task(pump(p, stopped), name=p)
            group.create_task(leaver(stopped))
            started.set()
    except asyncio.CancelledError as stop:
        log.append((name, "cancelled", stop.args, asyncio.current_task().cancelling(), sorted(stopped)))
        await effect(f"drain {name}")
        raise
    finally:
        log.append(f"{name} closed")


async def leaver(stopped):
    try:
        await asyncio.Event().wait()
    finally:
        for _ in range(3):
            await asyncio.sleep(0)
        stopped.add("last to leave")


async def angry(group_ready):
    group_ready.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise ValueError("broke while stopping") from None


async def main():
    log, started = [], asyncio.Event()
    task = asyncio.create_task(plant("east", ["p1", "p2", "p3"], log, started))
    await started.wait()
    await asyncio.sleep(0)
    task.cancel()
    outcome = await asyncio.gather(task, return_exceptions=True)
    log.append([type(o).__name__ for o in outcome])

    async def furious(ready):
        async with asyncio.TaskGroup() as group:
            group.create_task(angry(ready))

    ready = asyncio.Event()
    second = asyncio.create_task(furious(ready))
    await ready.wait()
    second.cancel()
    try:
        await second
    except* ValueError as group:
        log.append([str(e) for e in group.exceptions])
    await effect("inspect")
    return log, task.cancelled(), second.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
