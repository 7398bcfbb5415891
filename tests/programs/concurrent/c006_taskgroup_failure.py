# durable: on
"""A failing child of a task group cancels its siblings, which clean up before the group raises."""
import asyncio

from world import effect, fail


class DiskFull(Exception):
    pass


async def writer(name, ready, closed):
    try:
        ready.append(name)
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        closed[name] = asyncio.current_task().cancelling()
        raise
    finally:
        await effect("close a log")  # a group cancels its tasks in no order


async def doomed(ready, log):
    while len(ready) < 3:
        await asyncio.sleep(0)
    log.append(f"disk is full, {ready} are open")
    await fail("disk check", DiskFull("sda", 99))


async def second_failure(ready):
    ready.append("second")
    try:
        await asyncio.sleep(3600)
    finally:
        raise OSError("while closing")


async def main():
    log, ready, closed = [], [], {}
    try:
        async with asyncio.TaskGroup() as group:
            writers = [group.create_task(writer(n, ready, closed)) for n in ("a.log", "b.log")]
            group.create_task(second_failure(ready))
            bad = group.create_task(doomed(ready, log))
    except* DiskFull as full:
        log.append(("full", full.exceptions[0].args, full.exceptions[0] is bad.exception()))
    except* OSError as errors:
        log.append(("os", [str(e) for e in errors.exceptions]))

    states = [(w.done(), w.cancelled()) for w in writers]

    async def parked(label):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            closed[label] = "sent home"
            raise

    try:
        async with asyncio.TaskGroup() as group:
            for label in "xyz":
                group.create_task(parked(label))
            await asyncio.sleep(0)
            raise DiskFull("in the body")
    except* DiskFull as full:
        log.append((full.message, [str(e) for e in full.exceptions]))
    await effect("after all")
    return log, states, sorted(closed.items())


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
