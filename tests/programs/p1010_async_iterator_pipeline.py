# durable: on
"""Asynchronous map, filter, batch, zip, merge and window generators are composed and drained."""
import asyncio
import collections

from world import effect


async def source(name, n):
    for i in range(n):
        yield await effect(f"{name}{i}", i)


async def amap(fn, items):
    async for item in items:
        result = fn(item)
        yield (await result) if asyncio.iscoroutine(result) else result


async def afilter(fn, items):
    async for item in items:
        if await fn(item):
            yield item


async def batch(items, size):
    chunk = []
    async for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield tuple(chunk)
            chunk.clear()
    if chunk:
        yield tuple(chunk)


async def azip(*sources):
    iterators = [aiter(s) for s in sources]
    while True:
        row = []
        for it in iterators:
            try:
                row.append(await anext(it))
            except StopAsyncIteration:
                return
        yield row


async def window(items, size):
    recent = collections.deque(maxlen=size)
    async for item in items:
        recent.append(item)
        if len(recent) == size:
            yield sum(recent)


async def enumerate_(items, n=0):
    async for item in items:
        yield n, item
        n += 1


async def main():
    offset = 10

    async def odd(x):
        return x % 2 == await effect("mod", 1)

    shifted = amap(lambda x: x + offset, source("a", 4))
    out = [await anext(shifted)]
    offset = 100
    await effect("offset changed")
    out.append([x async for x in batch(shifted, 2)])
    out.append([x async for x in afilter(odd, amap(odd, source("b", 2)))])
    pairs = azip(source("c", 2), window(source("d", 4), 2))
    out.append({n: pair async for n, pair in enumerate_(pairs, 5)})
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
