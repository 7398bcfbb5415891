# durable: on
"""yield inside try/finally and with inside async generators, left by break, aclose and errors."""
import asyncio

from world import effect, fail


class Guard:
    def __init__(self, log):
        self.log = log

    async def __aenter__(self):
        self.log.append("guard in")

    async def __aexit__(self, kind, *rest):
        self.log.append(("guard out", kind and kind.__name__, await effect("guard")))


async def source(log, n):
    async with Guard(log):
        for k in range(n):
            try:
                yield k
            except KeyError as error:
                log.append(("inside", repr(error)))
                yield "recovered"
            else:
                log.append(("sent on", k))
            finally:
                log.append(("finally", k, await effect(f"fin{k}", k)))


async def main():
    log, out = [], []
    gen = source(log, 5)
    async for k in gen:
        out.append(k)
        if k == 1:
            break
    await effect("after break")
    await gen.aclose()
    log.append("--")
    gen = source(log, 2)
    await anext(gen)
    out.append(await gen.athrow(KeyError("k")))
    out.append([x async for x in gen])
    log.append("--")
    gen = source(log, 3)
    try:
        async for k in gen:
            await fail("body fails", OSError(k))
    except OSError:
        await gen.aclose()
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
