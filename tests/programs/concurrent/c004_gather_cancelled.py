# durable: on
"""Cancelling a gather, or the task that awaits it, cancels the children in order; each cleans up."""
import asyncio

from world import effect


async def watcher(name, log):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append(f"{name} stops")
        raise
    finally:
        await asyncio.sleep(0)
        log.append(f"{name} gone")


async def stubborn(log):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append("stubborn answers")
        return await effect("stubborn cleans", "clean")


async def watch_all(names, log):
    try:
        return await asyncio.gather(*(watcher(n, log) for n in names))
    except asyncio.CancelledError as stop:
        log.append(("gather cancelled", stop.args))
        await effect("note the stop")
        raise


async def main():
    log = []
    outer = asyncio.create_task(watch_all(["door", "roof", "yard"], log))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    outer.cancel("night is over")
    try:
        await outer
    except asyncio.CancelledError:
        log.append(("outer", outer.cancelled()))

    second = []
    bundle = asyncio.gather(watcher("a", second), stubborn(second), watcher("b", second))
    await asyncio.sleep(0)
    second.append(bundle.cancel())
    try:
        await bundle
    except asyncio.CancelledError:
        second.append("bundle cancelled")

    third = []
    both = asyncio.gather(watcher("c", third), stubborn_twice(third), return_exceptions=True)
    await asyncio.sleep(0)
    both.cancel()
    try:
        await both
    except asyncio.CancelledError:
        third.append(("with return_exceptions", both.cancelled(), both.done()))
    return log, second, third


async def stubborn_twice(log):
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        log.append("kept going")
    return await effect("kept going")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
