# durable: on
"""contextlib.asynccontextmanager functions of this file, one await in each half."""
import asyncio
from contextlib import asynccontextmanager

from world import effect, fail


@asynccontextmanager
async def connection(name, log, swallow=()):
    log.append(await effect(f"connect-{name}", f"connect {name}"))
    try:
        yield {"name": name}
    except swallow as error:
        log.append(repr(error))
    finally:
        log.append(await effect(f"close-{name}", f"close {name}"))


async def loop(log):
    for k in range(2):
        async with connection(f"loop{k}", log) as c:
            if k:
                return c["name"]


async def main():
    log = []
    async with connection("a", log) as a, connection("b", log, KeyError) as b:
        log.append((a["name"], await effect("body", b["name"])))
        raise KeyError("body")
    log.append(await loop(log))
    try:
        async with connection("c", log):
            await fail("c", OSError("c"))
    except OSError as error:
        log.append(repr(error))
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
