# durable: on
"""A least-recently-used cache with a doubly linked list of its own and an asynchronous loader evicts in order."""
import asyncio

from world import effect


class Link:
    __slots__ = ("key", "value", "before", "after")

    def __init__(self, key=None, value=None):
        self.key, self.value = key, value
        self.before = self.after = self


class Cache:
    def __init__(self, size, loader):
        self.size = size
        self.loader = loader
        self.head = Link()
        self.links = {}
        self.evicted = []

    def unlink(self, link):
        link.before.after, link.after.before = link.after, link.before

    def push(self, link):
        link.before, link.after = self.head, self.head.after
        self.head.after.before = link
        self.head.after = link

    async def get(self, key):
        if (link := self.links.get(key)) is None:
            link = self.links[key] = Link(key, await self.loader(key))
            if len(self.links) > self.size:
                oldest = self.head.before
                self.unlink(oldest)
                del self.links[oldest.key]
                self.evicted.append(await effect(f"evict {oldest.key}", oldest.key))
        else:
            self.unlink(link)
        self.push(link)
        return link.value

    def __iter__(self):
        link = self.head.after
        while link is not self.head:
            yield link.key
            link = link.after


async def main():
    loads = []

    async def load(key):
        loads.append(key)
        return await effect(f"load {key}", key.upper())

    cache = Cache(2, load)
    values = [await cache.get(key) for key in "abacbba"]
    keys = iter(cache)
    first = next(keys)
    await effect("half way over the keys")
    return values, loads, cache.evicted, first, list(keys), cache.links["a"].before.after is cache.links["a"]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
