# durable: on
"""Cancelling the head of a chain of tasks that await each other goes to the deepest first and comes back up."""
import asyncio

from world import effect


async def deepest(log):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError as stop:
        log.append(("deepest", stop.args))
        await effect("deepest cleans")
        raise


async def link(depth, log, tasks):
    me = asyncio.current_task()
    if depth == 0:
        child = asyncio.create_task(deepest(log), name="deepest")
    else:
        child = asyncio.create_task(link(depth - 1, log, tasks), name=f"link {depth - 1}")
    tasks.append(child)
    try:
        return await child
    except asyncio.CancelledError:
        log.append((me.get_name(), child.cancelled(), me.cancelling()))
        if depth == 2:
            return await effect("link 2 saves the day", "saved at 2")
        raise
    finally:
        log.append(f"{me.get_name()} ends")


async def siblings(log):
    """Tasks that cancel each other in a circle; the last one cancels itself."""
    names = ["a", "b", "c"]
    tasks = {}

    async def assassin(name):
        await asyncio.sleep(0)
        target = names[(names.index(name) + 1) % len(names)]
        log.append(f"{name} cancels {target}: {tasks[target].cancel(f'by {name}')}")
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as stop:
            log.append((name, stop.args))
            raise
        log.append(f"{name} survives")

    for name in names:
        tasks[name] = asyncio.create_task(assassin(name), name=name)
        tasks[name].add_done_callback(lambda t: log.append(f"{t.get_name()} is done"))
    await asyncio.wait(tasks.values())
    await asyncio.sleep(0)
    return [t.cancelled() for t in tasks.values()]


async def main():
    log, tasks = [], []
    head = asyncio.create_task(link(3, log, tasks), name="link 3")
    while len(tasks) < 4:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    head.cancel("from the top")
    result = await head
    states = [(t.get_name(), t.cancelled(), t.cancelling()) for t in [head, *tasks]]

    circle = []
    fates = await siblings(circle)
    waiting_twice = asyncio.create_task(asyncio.Event().wait())
    shared = [asyncio.create_task(asyncio.wait({waiting_twice}), name=n) for n in "xy"]
    await asyncio.sleep(0)
    shared[0].cancel()
    await asyncio.wait({shared[0]})
    untouched = waiting_twice.done(), shared[1].done()
    waiting_twice.cancel()
    done, pending = await shared[1]
    await effect("all quiet")
    return log, result, states, circle, fates, untouched, waiting_twice in done, pending


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
