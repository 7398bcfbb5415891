# durable: on
"""Async generators that delegate to others by hand and forward values and errors."""
import asyncio

from world import effect


async def leafs(tag, n, log):
    try:
        for k in range(n):
            sent = yield await effect(f"{tag}{k}", (tag, k))
            if sent:
                log.append((tag, "sent", sent))
    except GeneratorExit:
        log.append((tag, "exit"))
        raise
    finally:
        log.append((tag, "finally"))


async def delegate(gen):
    sent = None
    try:
        while True:
            try:
                value = await gen.asend(sent)
            except StopAsyncIteration:
                return
            sent = yield value
    finally:
        await gen.aclose()


async def chain(*sources):
    for source in sources:
        async for value in delegate(source):
            yield value


async def main():
    log, out = [], []
    outer = delegate(delegate(leafs("a", 3, log)))
    out.append(await outer.asend(None))
    out.append(await outer.asend("hello"))
    await outer.aclose()
    out.append([v async for v in chain(leafs("b", 2, log), leafs("c", 0, log), leafs("d", 1, log))])
    parked = [delegate(leafs(str(n), 2, log)) for n in range(2)]
    out.append([await anext(p) for p in parked])
    await effect("parked")
    out.append([await anext(p, None) for p in reversed(parked)])
    for p in parked:
        await p.aclose()
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
