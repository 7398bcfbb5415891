# durable: on
"""contextlib.suppress, closing, nullcontext, aclosing and redirects around awaits."""
import asyncio
import contextlib

from world import effect, fail


class Door:
    def __init__(self, log):
        self.log = log

    def close(self):
        self.log.append("closed")


async def feed(log):
    try:
        for k in range(5):
            yield await effect(f"feed{k}", k)
    finally:
        log.append("feed closed")


class Base(contextlib.ContextDecorator):
    entered = 0

    def __enter__(self):
        type(self).entered += 1
        return self

    def __exit__(self, *info):
        return False


async def main():
    log = []
    with contextlib.suppress(KeyError, OSError):
        await effect("in suppress")
        await fail("gone", KeyError("x"))
        log.append("never")
    with contextlib.closing(Door(log)) as door:
        log.append(type(door).__name__)
        await effect("open door")
    with contextlib.nullcontext(5) as five:
        log.append(await effect("null", five))
    async with contextlib.nullcontext() as nothing:
        log.append(await effect("async null", nothing))
    async with contextlib.aclosing(feed(log)) as source:
        async for k in source:
            log.append(k)
            if k == 1:
                break
    log.append("closed by aclosing")
    with Base() as base, contextlib.suppress(ValueError), base:
        await effect("twice")
        raise ValueError
    log.append(Base.entered)
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
