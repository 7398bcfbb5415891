# durable: on
"""An ExitStack with plain callbacks and arguments is held across awaits."""
import asyncio
import contextlib

from world import effect


async def main():
    log = []

    def undo(what, *, why="end"):
        log.append((what, why))

    with contextlib.ExitStack() as stack:
        stack.callback(undo, "first")
        await effect("one")
        stack.callback(log.append, "plain")
        stack.callback(undo, "second", why=await effect("why", "because"))
        await effect("two")
        stack.push(lambda kind, value, trace: log.append(("pushed", kind)))
        await effect("three")
    await effect("after")
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
