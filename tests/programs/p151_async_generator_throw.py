# durable: on
"""athrow into a suspended async generator after an await, with recovery and return."""
import asyncio

from world import effect


class Cancel(Exception):
    pass


async def sensor(log):
    level = 0
    while True:
        try:
            step = yield await effect(f"level {level}", level)
            level += step or 1
        except Cancel as error:
            log.append(f"cancel {error}")
            await effect("cancelled")
            level = -1
        except LookupError:
            log.append("stop")
            return


async def main():
    log = []
    gen = sensor(log)
    out = [await gen.asend(None), await gen.asend(5)]
    await effect("one")
    out.append(await gen.athrow(Cancel("x")))
    await effect("two")
    out.append(await gen.asend(3))
    try:
        await gen.athrow(LookupError())
    except StopAsyncIteration:
        out.append("ended")
    await effect("three")
    try:
        await gen.asend(None)
    except StopAsyncIteration:
        out.append("still ended")
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
